// Opens the CUDA backend, a shared library of its own, when a GPU is first asked for.
#include "core/cuda_loader.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string>

namespace residua {

namespace {

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
  std::string origin;  // why this file
  std::string remedy;  // where it is missing
};

Library ChosenLibrary() {
  const char* setting = std::getenv("RESIDUA_CUDA_LIBRARY");
  const std::string chosen = setting == nullptr ? "" : setting;
  if (chosen.empty()) {
    return {AddonFolder() + "/libresidua_cuda.so", "beside the addon",
            "Set RESIDUA_CUDA_LIBRARY to the path of a CUDA backend built for this version, or use cpu()."};
  }
  if (chosen == "emulation") {
    return {AddonFolder() + "/libresidua_cuda_emulation.so", "RESIDUA_CUDA_LIBRARY=emulation",
            "Put the emulation there, or unset RESIDUA_CUDA_LIBRARY."};
  }
  return {chosen, "RESIDUA_CUDA_LIBRARY",
          "Correct RESIDUA_CUDA_LIBRARY, or unset it to use the library beside the addon."};
}

[[noreturn]] void Fail(int device, const Library& library, const std::string& reason, const std::string& remedy) {
  const std::string name = "gpu(" + std::to_string(device) + ")";
  throw Error(
      ErrorCode::kBackendUnavailable,
      name + " is not available: looked for " + library.file + " (" + library.origin + "): " + reason + " " + remedy,
      {{"device", name}, {"file", library.file}, {"reason", reason}});
}

std::string LastDlError() {
  const char* text = dlerror();
  return std::string(text == nullptr ? "unknown error" : text) + ".";
}

}  // namespace

std::unique_ptr<Backend> OpenCudaBackend(int device) {
  const Library library = ChosenLibrary();
  // Never closed: drivers keep threads and exit handlers in it.
  void* handle = dlopen(library.file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) Fail(device, library, LastDlError(), library.remedy);
  const auto factory = reinterpret_cast<CudaBackendFactory>(dlsym(handle, kCudaBackendSymbol));
  if (factory == nullptr) Fail(device, library, LastDlError(), "This is not residua's CUDA backend. " + library.remedy);
  Backend* backend = nullptr;
  char error[2048] = "";
  const int status = factory(kBackendAbiVersion, device, &backend, error, sizeof(error));
  if (status != 0 || backend == nullptr) {
    const std::string reason = *error ? error : "it gave status " + std::to_string(status) + " and no reason.";
    Fail(device, library, reason, "'residua doctor' shows what was tried; cpu() works without a GPU.");
  }
  return std::unique_ptr<Backend>(backend);
}

}  // namespace residua
