// Opens the CUDA backend, a shared library of its own, when a GPU is first asked for.
#pragma once
#include <memory>

#include "core/backend.h"

namespace residua {

// Changes with anything in core/*.h that the library is compiled against.
constexpr int kBackendAbiVersion = 4;

// The library's one symbol. Gives 0 and a backend; kWrongAbiVersion and its own version as text in `error`; or
// StatusOf(code) and a text, which for kBackendUnavailable is three lines: what was looked for, what was found, the
// remedy.
extern "C" typedef int (*CudaBackendFactory)(int abi_version, int device, Backend** out, char* error,
                                             size_t error_size);
constexpr const char* kCudaBackendSymbol = "residua_cuda_backend";
constexpr int kWrongAbiVersion = -1;
constexpr int StatusOf(ErrorCode code) { return 1 + static_cast<int>(code); }

// RESIDUA_CUDA_LIBRARY names the library: a path, or 'emulation' for libresidua_cuda_emulation.so; by default
// libresidua_cuda.so, both beside the addon. Throws Error(kBackendUnavailable) with what was looked for, what was found
// and the remedy.
std::unique_ptr<Backend> OpenCudaBackend(int device);

}  // namespace residua
