# Builds residua.node: the CPU backend on oneDNN, and the binding to Node.

# Node-API: plain C headers and node-addon-api, both npm packages
if(NOT CMAKE_JS_INC)
  set(CMAKE_JS_INC ${CMAKE_SOURCE_DIR}/node_modules/node-api-headers/include
                   ${CMAKE_SOURCE_DIR}/node_modules/node-addon-api)
endif()
find_path(NODE_ADDON_API_INCLUDE napi.h HINTS ${CMAKE_JS_INC} NO_DEFAULT_PATH)
if(NOT NODE_ADDON_API_INCLUDE)
  message(FATAL_ERROR "node-addon-api is missing (napi.h is not in ${CMAKE_JS_INC}). Run 'npm ci' first.")
endif()

# oneDNN, 2.6 or later; another place: -DDNNL_ROOT=<prefix>, or an active conda environment
find_path(DNNL_INCLUDE dnnl.hpp HINTS ${DNNL_ROOT} $ENV{DNNL_ROOT} $ENV{dnnl_ROOT} $ENV{CONDA_PREFIX}
          PATH_SUFFIXES include)
find_library(DNNL_LIBRARY dnnl HINTS ${DNNL_ROOT} $ENV{DNNL_ROOT} $ENV{dnnl_ROOT} $ENV{CONDA_PREFIX}
             PATH_SUFFIXES lib lib64)
if(NOT DNNL_INCLUDE OR NOT DNNL_LIBRARY)
  message(FATAL_ERROR
    "oneDNN is missing (looked for dnnl.hpp and libdnnl). Install it and build again:\n"
    "  Debian, Ubuntu:  apt-get install libdnnl-dev\n"
    "  Fedora:          dnf install onednn-devel\n"
    "  macOS:           brew install onednn\n"
    "  conda:           conda install -c conda-forge onednn\n"
    "or point to its prefix: npx cmake-js build --CDDNNL_ROOT=/path/to/onednn")
endif()
find_package(OpenMP REQUIRED COMPONENTS CXX)

file(GLOB RESIDUA_SOURCES CONFIGURE_DEPENDS
     native/addon.cc native/binding/*.cc native/cpu/*.cc)
add_library(residua MODULE ${RESIDUA_SOURCES} $<TARGET_OBJECTS:residua_core> ${CMAKE_JS_SRC})
set_target_properties(residua PROPERTIES PREFIX "" SUFFIX ".node")
target_include_directories(residua PRIVATE native)
target_include_directories(residua SYSTEM PRIVATE ${CMAKE_JS_INC} ${DNNL_INCLUDE})
# Exceptions thrown into a worker that is being terminated are dropped; the default is to abort the process.
target_compile_definitions(residua PRIVATE NAPI_VERSION=8 NAPI_CPP_EXCEPTIONS NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS)
target_compile_options(residua PRIVATE ${RESIDUA_WARNINGS} ${RESIDUA_ARITHMETIC})
target_link_options(residua PRIVATE -Wl,-z,now)  # a missing symbol shows at load, not at the first call
target_link_libraries(residua PRIVATE ${DNNL_LIBRARY} OpenMP::OpenMP_CXX ${CMAKE_DL_LIBS} ${CMAKE_JS_LIB})
