// Opens the CUDA backend, a shared library of its own, when a GPU is first asked for.
#pragma once
#include <memory>

#include "core/backend.h"

namespace residua {

// Changes with anything in core/*.h that the library is compiled against.
constexpr int kBackendAbiVersion = 1;

// The library's one symbol. Gives 0 and a backend, or another status and a text in `error`.
extern "C" typedef int (*CudaBackendFactory)(int abi_version, int device, Backend** out, char* error,
                                             size_t error_size);
constexpr const char* kCudaBackendSymbol = "residua_cuda_backend";

// RESIDUA_CUDA_LIBRARY names the library: a path, or 'emulation' for libresidua_cuda_emulation.so; by default
// libresidua_cuda.so, both beside the addon. Throws Error(kBackendUnavailable) with reason and remedy.
std::unique_ptr<Backend> OpenCudaBackend(int device);

}  // namespace residua
