// Opens the CUDA backend, a shared library of its own, when a GPU is first asked for.
#include "core/cuda_loader.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace residua {

namespace {

constexpr const char* kBuild =
    "Install a CUDA toolkit (12 or 13) with cuDNN 9 and cuBLAS (Debian, Ubuntu: apt-get install cuda-toolkit "
    "cudnn9-cuda-13 from NVIDIA's repository; pip: nvidia-cudnn-cu13 and nvidia-cublas beside nvcc; conda: "
    "cuda-toolkit "
    "cudnn) and build again: npm run build:native. cpu() works without.";

// The folder of the file that holds this code: the addon.
std::string AddonFolder() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&OpenCudaBackend), &info) == 0 || info.dli_fname == nullptr) return ".";
  const std::string file = info.dli_fname;
  const size_t slash = file.rfind('/');
  return slash == std::string::npos ? "." : file.substr(0, slash);
}

struct Library {
  std::string file;
  std::string origin;   // why this file
  std::string missing;  // what to say where it is not there
  std::string remedy_missing, remedy_broken;
};

// What the build wrote down where it left the CUDA backend out (native/cuda/CMakeLists.txt); "" where it did not.
std::string SkippedReason(const std::string& folder) {
  std::ifstream stream(folder + "/libresidua_cuda.skipped");
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

Library LibraryBesideAddon() {
  const std::string folder = AddonFolder(), skipped = SkippedReason(folder);
  const std::string why = skipped.empty() ? "It was not built with this addon."
                                          : "It was skipped when the addon was built: " + skipped + ".";
  return {folder + "/libresidua_cuda.so", "the CUDA backend, beside the addon", "There is no such file. " + why, kBuild,
          "Build it again on this machine: npm run build:native."};
}

Library ChosenLibrary() {
  const char* setting = std::getenv("RESIDUA_CUDA_LIBRARY");
  const std::string chosen = setting == nullptr ? "" : setting;
  if (chosen.empty()) return LibraryBesideAddon();
  if (chosen == "emulation") {
    return {AddonFolder() + "/libresidua_cuda_emulation.so", "the emulation, as RESIDUA_CUDA_LIBRARY=emulation says",
            "There is no such file.", "Build it (npm test does), or unset RESIDUA_CUDA_LIBRARY.",
            "Build it again: npm test."};
  }
  const std::string remedy = "Correct RESIDUA_CUDA_LIBRARY, or unset it to use the library beside the addon.";
  return {chosen, "as RESIDUA_CUDA_LIBRARY says", "There is no such file.", remedy, remedy};
}

// How a device comes to be unavailable: three texts, which 'residua doctor' shows as a table.
struct Problem {
  std::string looked_for, found, remedy;
};

[[noreturn]] void Fail(int device, const Library& library, const Problem& problem) {
  const std::string name = "gpu(" + std::to_string(device) + ")";
  throw Error(
      ErrorCode::kBackendUnavailable,
      name + " is not available. Looked for " + problem.looked_for + ". " + problem.found + " " + problem.remedy,
      {{"device", name},
       {"file", library.file},
       {"lookedFor", problem.looked_for},
       {"found", problem.found},
       {"remedy", problem.remedy}});
}

std::string LastDlError() {
  const char* text = dlerror();
  return std::string(text == nullptr ? "unknown error" : text) + ".";
}

// How to get a library that the dynamic linker does not find: its text `found` names it. `otherwise`: for other
// failures.
std::string RemedyFor(const std::string& found, const std::string& otherwise) {
  struct Row {
    const char* library;
    const char* remedy;
  };
  static constexpr Row kRows[] = {
      {"libcudnn",
       "Install cuDNN 9 (pip: nvidia-cudnn-cu13 or -cu12; apt, from NVIDIA's repository: cudnn9-cuda-13 or "
       "-12; conda: cudnn)"},
      {"libcublas",
       "Install the cuBLAS of the CUDA version that the library was built with (pip: nvidia-cublas or "
       "nvidia-cublas-cu12; apt, from NVIDIA's repository: libcublas-13-0 or -12-9; conda: libcublas)"},
      {"libnvrtc",
       "Install NVRTC (pip: nvidia-cuda-nvrtc or -cu12; apt, from NVIDIA's repository: cuda-nvrtc-13-0 or "
       "-12-9; conda: cuda-nvrtc)"},
  };
  for (const Row& row : kRows) {
    if (found.find(std::string(row.library)) != std::string::npos) {
      return std::string(row.remedy) + " and add its folder to LD_LIBRARY_PATH, or build again: npm run build:native.";
    }
  }
  return otherwise;
}

void* OpenLibrary(int device, const Library& library) {
  const std::string looked_for = library.file + " (" + library.origin + ")";
  if (access(library.file.c_str(), F_OK) != 0)
    Fail(device, library, {looked_for, library.missing, library.remedy_missing});
  // Never closed: drivers keep threads and exit handlers in it.
  void* handle = dlopen(library.file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle != nullptr) return handle;
  const std::string found = LastDlError();
  Fail(device, library, {looked_for, "It does not load: " + found, RemedyFor(found, library.remedy_broken)});
}

CudaBackendFactory FactoryOf(void* handle, int device, const Library& library) {
  const auto factory = reinterpret_cast<CudaBackendFactory>(dlsym(handle, kCudaBackendSymbol));
  if (factory != nullptr) return factory;
  Fail(device, library,
       {std::string(kCudaBackendSymbol) + " in " + library.file, "This is not residua's CUDA backend: " + LastDlError(),
        library.remedy_broken});
}

// The three lines of a factory that found no backend.
Problem ParseProblem(const std::string& text) {
  const size_t first = text.find('\n'), second = text.find('\n', first + 1);
  if (first == std::string::npos || second == std::string::npos) {
    return {"a GPU with CUDA", text, "'residua doctor' shows what was tried; cpu() works without a GPU."};
  }
  return {text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

}  // namespace

std::unique_ptr<Backend> OpenCudaBackend(int device) {
  const Library library = ChosenLibrary();
  const CudaBackendFactory factory = FactoryOf(OpenLibrary(device, library), device, library);
  Backend* backend = nullptr;
  char text[4096] = "";
  const int status = factory(kBackendAbiVersion, device, &backend, text, sizeof(text));
  if (status == 0 && backend != nullptr) return std::unique_ptr<Backend>(backend);
  if (status == kWrongAbiVersion) {
    Fail(device, library,
         {"a CUDA backend of interface version " + std::to_string(kBackendAbiVersion) + ", as the addon has",
          library.file + " has version " + text + ".", "Build both together: npm run build:native."});
  }
  if (status == StatusOf(ErrorCode::kConfig)) throw Error(ErrorCode::kConfig, text);
  Fail(device, library, ParseProblem(text));
}

}  // namespace residua
