// Errors: of the thread's last call and of a lost device.
#include "cuda_emulation/errors.h"

#include <atomic>
#include <cstdio>
#include <string>

#include "cuda_emulation/injection.h"
#include "cuda_emulation/settings.h"

namespace residua::cuda_emulation {
namespace {

std::atomic<cudaError_t> device_error{cudaSuccess};
thread_local cudaError_t last_error = cudaSuccess;
thread_local int host_functions = 0;  // that this thread is in

// What a call of the function usually answers when it fails.
cudaError_t UsualError(const std::string& function) {
  if (function == "cudaMalloc" || function == "cudaMallocHost" || function == "cudaHostAlloc") {
    return cudaErrorMemoryAllocation;
  }
  return function == "cudaLaunchKernel" ? cudaErrorLaunchOutOfResources : cudaErrorUnknown;
}

}  // namespace

bool LosesDevice(int status) {
  switch (status) {
    case cudaErrorECCUncorrectable:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
      return true;
    default:
      return false;
  }
}

void LoseDevice(cudaError_t error, const char* what) {
  cudaError_t none = cudaSuccess;
  if (!device_error.compare_exchange_strong(none, error)) return;  // the first one stays
  std::fprintf(stderr, "cuda emulation: %s: %s.\n", cudaGetErrorName(error), what);
}

cudaError_t DeviceError() { return device_error; }

HostFunctionScope::HostFunctionScope() { ++host_functions; }
HostFunctionScope::~HostFunctionScope() { --host_functions; }

cudaError_t Refusal(const char* function, cudaError_t* fault_when_run) {
  if (host_functions > 0) return cudaErrorNotPermitted;
  if (DriverVersion() / 1000 < CUDART_VERSION / 1000) return cudaErrorInsufficientDriver;
  if (DeviceCount() == 0) return cudaErrorNoDevice;
  if (DeviceError() != cudaSuccess) return DeviceError();
  const auto fault = static_cast<cudaError_t>(InjectedFault(function, UsualError(function)));
  if (!LosesDevice(fault)) return fault;
  if (fault_when_run != nullptr) {
    *fault_when_run = fault;
    return cudaSuccess;
  }
  LoseDevice(fault, "injected fault");
  return fault;
}

cudaError_t Report(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

}  // namespace residua::cuda_emulation

using namespace residua::cuda_emulation;

void residua_emulation_revive() {
  device_error = cudaSuccess;
  last_error = cudaSuccess;
}

cudaError_t cudaPeekAtLastError(void) { return DeviceError() != cudaSuccess ? DeviceError() : last_error; }

cudaError_t cudaGetLastError(void) {
  const cudaError_t error = cudaPeekAtLastError();
  last_error = cudaSuccess;
  return error;
}
