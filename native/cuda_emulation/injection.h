// Failures on request. Every emulated function asks here first, so that a test can make any one call of CUDA, cuDNN or
// cuBLAS fail:
//
//   RESIDUA_EMULATED_FAULT=cudaMalloc:3        the third call from now fails with the function's usual error
//   RESIDUA_EMULATED_FAULT=cudaMemcpyAsync:1:700   with this status
//   RESIDUA_EMULATED_FAULT=*:17                the 17th call of any function
//   RESIDUA_EMULATED_FAULT_LOG=/path           each failure made appends "function count status" there
//
// Calls are counted from the moment the variable changes. Kernel launches are called cudaLaunchKernel. A status that
// loses the device (LosesDevice in errors.h: 700, 719...), given to a launch, copy or fill, comes when the stream runs
// it.
#pragma once
#include <cstdint>

namespace residua::cuda_emulation {

// The status that this call of `function` must answer, or 0 to go on. `usual`: the answer where the request names none.
int InjectedFault(const char* function, int usual);

}  // namespace residua::cuda_emulation

extern "C" {

// The same for programs: the `nth` call of `function` ("*": any) from now answers `status` (0: its usual error). Null
// takes the request back.
__attribute__((visibility("default"))) void residua_emulation_fail(const char* function, int64_t nth, int status);
// Calls of `function` ("*": any) since the last request.
__attribute__((visibility("default"))) int64_t residua_emulation_calls(const char* function);
// Brings a lost device back, as a new process would.
__attribute__((visibility("default"))) void residua_emulation_revive();
}
