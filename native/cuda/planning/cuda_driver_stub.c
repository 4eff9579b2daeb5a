// Stands in for libcuda.so.1 where there is no driver, so that cuDNN can compile kernels for a GPU that is only
// described. Loading a kernel succeeds, running one does not: there is no device.
#include <stddef.h>

enum { kSuccess = 0, kNoDevice = 100 };  // CUresult

// cuDNN and its compiler look these names up; the values of their arguments do not matter.
#define NO_DEVICE(name) \
  int name(void) { return kNoDevice; }
#define DONE(name) \
  int name(void) { return kSuccess; }
#define GIVES_OBJECT(name)  \
  int name(void** object) { \
    static int something;   \
    *object = &something;   \
    return kSuccess;        \
  }
#define GIVES_NUMBER(name, value) \
  int name(int* number) {         \
    *number = (value);            \
    return kSuccess;              \
  }
#define GIVES_TEXT(name)                           \
  int name(int status, const char** text) {        \
    (void)status;                                  \
    *text = "no device: the driver is a stand-in"; \
    return kSuccess;                               \
  }

GIVES_NUMBER(cuDriverGetVersion, 13000)
GIVES_TEXT(cuGetErrorName)
GIVES_TEXT(cuGetErrorString)

GIVES_OBJECT(cuLibraryLoadData)
GIVES_OBJECT(cuLibraryGetKernel)
GIVES_OBJECT(cuModuleLoadData)
GIVES_OBJECT(cuModuleLoadDataEx)
GIVES_OBJECT(cuModuleGetFunction)
DONE(cuLibraryUnload)
DONE(cuModuleUnload)
GIVES_NUMBER(cuFuncGetAttribute, 64)
GIVES_NUMBER(cuKernelGetAttribute, 64)
DONE(cuFuncSetAttribute)
DONE(cuKernelSetAttribute)

NO_DEVICE(cuInit)
NO_DEVICE(cuDeviceGet)
NO_DEVICE(cuDeviceGetAttribute)
NO_DEVICE(cuDeviceGetCount)
NO_DEVICE(cuDevicePrimaryCtxRelease)
NO_DEVICE(cuDevicePrimaryCtxReset)
NO_DEVICE(cuDevicePrimaryCtxRetain)
NO_DEVICE(cuCtxGetCurrent)
NO_DEVICE(cuCtxGetDevice)
NO_DEVICE(cuCtxGetLimit)
NO_DEVICE(cuCtxPopCurrent)
NO_DEVICE(cuCtxPushCurrent)
NO_DEVICE(cuLaunchCooperativeKernel)
NO_DEVICE(cuLaunchKernel)
NO_DEVICE(cuLaunchKernelEx)
NO_DEVICE(cuLibraryLoadFromFile)
NO_DEVICE(cuLinkAddData)
NO_DEVICE(cuLinkAddData_v2)
NO_DEVICE(cuLinkAddFile_v2)
NO_DEVICE(cuLinkComplete)
NO_DEVICE(cuLinkCreate)
NO_DEVICE(cuLinkCreate_v2)
NO_DEVICE(cuLinkDestroy)
NO_DEVICE(cuMemcpyDtoH_v2)
NO_DEVICE(cuModuleGetGlobal_v2)
NO_DEVICE(cuModuleLoadFatBinary)
NO_DEVICE(cuOccupancyMaxActiveBlocksPerMultiprocessor)
NO_DEVICE(cuOccupancyMaxPotentialClusterSize)
NO_DEVICE(cuStreamGetCtx)
NO_DEVICE(cuStreamSynchronize)
NO_DEVICE(cuTensorMapEncodeTiled)
