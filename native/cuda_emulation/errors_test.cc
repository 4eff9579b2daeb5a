// Injected faults, lost devices and the description of the emulated device.
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "cuda/launch.h"
#include "cuda_emulation/injection.h"
#include "cuda_emulation/test_checks.h"

using namespace residua::cuda_emulation;

namespace {

__global__ void NothingKernel(int*) {}

cudaError_t Allocate() {
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, 8);
  return status != cudaSuccess ? status : cudaFree(memory);
}

}  // namespace

TEST(FaultByProgram, "faults: the n-th call of a function fails once, with its usual error or another") {
  residua_emulation_fail("cudaMalloc", 2, 0);
  EXPECT_OK(Allocate());
  EXPECT_EQUAL(Allocate(), cudaErrorMemoryAllocation);
  EXPECT_OK(Allocate());
  EXPECT_EQUAL(residua_emulation_calls("cudaMalloc"), 3);
  EXPECT_EQUAL(residua_emulation_calls("*"), 5);
  residua_emulation_fail("cudaFree", 1, cudaErrorNotSupported);
  EXPECT_EQUAL(cudaFree(nullptr), cudaErrorNotSupported);
  EXPECT_OK(cudaFree(nullptr));
}

TEST(FaultByEnvironment, "faults: RESIDUA_EMULATED_FAULT asks for one, RESIDUA_EMULATED_FAULT_LOG tells of it") {
  const std::string path = "/tmp/residua-emulation-test-" + std::to_string(getpid()) + ".log";
  const Environment log("RESIDUA_EMULATED_FAULT_LOG", path);
  int device = 0;
  {
    const Environment fault("RESIDUA_EMULATED_FAULT", "cudaGetDevice:2:46");
    EXPECT_OK(cudaGetDevice(&device));
    EXPECT_EQUAL(cudaGetDevice(&device), cudaErrorDevicesUnavailable);
    EXPECT_OK(cudaGetDevice(&device));
  }
  {
    const Environment fault("RESIDUA_EMULATED_FAULT", "*:3");
    EXPECT_OK(cudaGetDevice(&device));
    EXPECT_OK(cudaSetDevice(0));
    EXPECT_EQUAL(cudaSetDevice(0), cudaErrorUnknown);
    EXPECT_OK(cudaSetDevice(0));
  }
  EXPECT_OK(cudaGetDevice(&device));
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::remove(path.c_str());
  EXPECT_EQUAL(text.str(), "cudaGetDevice 2 46\ncudaSetDevice 3 999\n");
}

TEST(TyposAbort, "faults: requests and settings that cannot be read abort") {
  EXPECT_ABORT(
      [] {
        const Environment fault("RESIDUA_EMULATED_FAULT", "cudaMalloc");
        (void)Allocate();
      },
      "must be function:nth[:status]");
  EXPECT_ABORT(
      [] {
        const Environment memory("RESIDUA_EMULATED_MEMORY", "1GB");
        (void)Allocate();
      },
      "RESIDUA_EMULATED_MEMORY must be a number");
}

TEST(FailedLaunch, "faults: a launch that fails shows at once and harms nothing") {
  residua_emulation_fail("cudaLaunchKernel", 1, 0);
  try {
    RESIDUA_LAUNCH(NothingKernel, 1, 1, nullptr, nullptr);
    EXPECT(!"the launch succeeded");
  } catch (const CallFailure& failure) {
    EXPECT_EQUAL(failure.status, cudaErrorLaunchOutOfResources);
  }
  EXPECT_OK(cudaGetLastError());
  EXPECT_OK(cudaDeviceSynchronize());
}

TEST(LostByKernel, "faults: a kernel that loses the device shows when the host waits, and for good") {
  const Stream stream;
  residua_emulation_fail("cudaLaunchKernel", 2, cudaErrorIllegalAddress);
  RESIDUA_LAUNCH(NothingKernel, 1, 1, stream, nullptr);
  RESIDUA_LAUNCH(NothingKernel, 1, 1, stream, nullptr);
  RESIDUA_LAUNCH(NothingKernel, 1, 1, stream, nullptr);
  EXPECT_EQUAL(cudaStreamSynchronize(stream), cudaErrorIllegalAddress);
  EXPECT_EQUAL(Allocate(), cudaErrorIllegalAddress);
  EXPECT_EQUAL(cudaPeekAtLastError(), cudaErrorIllegalAddress);
  EXPECT_EQUAL(cudaGetLastError(), cudaErrorIllegalAddress);
  EXPECT_EQUAL(cudaGetLastError(), cudaErrorIllegalAddress);
  residua_emulation_revive();
  EXPECT_OK(cudaGetLastError());
  EXPECT_OK(Allocate());
}

TEST(LostByCopy, "faults: a copy or fill can lose the device when the stream gets there") {
  const DeviceArray<int> device(1);
  residua_emulation_fail("cudaMemsetAsync", 1, cudaErrorLaunchFailure);
  EXPECT_OK(cudaMemsetAsync(device.get(), 0, 4, nullptr));
  EXPECT_EQUAL(cudaStreamSynchronize(nullptr), cudaErrorLaunchFailure);
}

TEST(LastError, "errors: cudaGetLastError gives the last failure of the thread once, cudaPeekAtLastError keeps it") {
  EXPECT_EQUAL(cudaFree(&stdout), cudaErrorInvalidValue);
  EXPECT_OK(cudaFree(nullptr));
  EXPECT_EQUAL(cudaPeekAtLastError(), cudaErrorInvalidValue);
  EXPECT_EQUAL(cudaGetLastError(), cudaErrorInvalidValue);
  EXPECT_OK(cudaGetLastError());
}

TEST(ErrorTexts, "errors: names and texts") {
  EXPECT_EQUAL(std::string(cudaGetErrorName(cudaErrorMemoryAllocation)), "cudaErrorMemoryAllocation");
  EXPECT_EQUAL(std::string(cudaGetErrorString(cudaErrorMemoryAllocation)), "out of memory");
  EXPECT_EQUAL(std::string(cudaGetErrorName(static_cast<cudaError_t>(1001))), "unrecognized error code");
}

TEST(NoDevice, "device: RESIDUA_EMULATED_DEVICES=0 leaves none") {
  const Environment none("RESIDUA_EMULATED_DEVICES", "0");
  int count = 7;
  EXPECT_EQUAL(cudaGetDeviceCount(&count), cudaErrorNoDevice);
  EXPECT_EQUAL(count, 0);
  EXPECT_EQUAL(cudaSetDevice(0), cudaErrorNoDevice);
}

TEST(OldDriver, "device: RESIDUA_EMULATED_DRIVER can be too old for the run-time") {
  int version = 0, count = 0;
  {
    const Environment old("RESIDUA_EMULATED_DRIVER", "12040");
    EXPECT_OK(cudaDriverGetVersion(&version));
    EXPECT_EQUAL(version, 12040);
    EXPECT_EQUAL(cudaGetDeviceCount(&count), cudaErrorInsufficientDriver);
  }
  const Environment newer("RESIDUA_EMULATED_DRIVER", "13010");
  EXPECT_OK(cudaGetDeviceCount(&count));
  EXPECT_EQUAL(count, 1);
  EXPECT_OK(cudaRuntimeGetVersion(&version));
  EXPECT_EQUAL(version, CUDART_VERSION);
}

TEST(DeviceDescription, "device: properties and attributes of an H100") {
  cudaDeviceProp device;
  EXPECT_OK(cudaGetDeviceProperties(&device, 0));
  EXPECT_EQUAL(std::string(device.name), "Emulated GPU");
  EXPECT_EQUAL(device.major * 10 + device.minor, 90);
  EXPECT_EQUAL(device.multiProcessorCount, 132);
  EXPECT_EQUAL(device.totalGlobalMem, size_t{8} << 30);
  EXPECT_EQUAL(cudaGetDeviceProperties(&device, 1), cudaErrorInvalidDevice);
  int value = 0;
  EXPECT_OK(cudaDeviceGetAttribute(&value, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0));
  EXPECT_EQUAL(value, 227 * 1024);
  EXPECT_OK(cudaDeviceGetAttribute(&value, cudaDevAttrComputeCapabilityMajor, 0));
  EXPECT_EQUAL(value, 9);
  EXPECT_EQUAL(cudaDeviceGetAttribute(&value, static_cast<cudaDeviceAttr>(127), 0), cudaErrorInvalidValue);
  char bus[16];
  EXPECT_OK(cudaDeviceGetPCIBusId(bus, sizeof(bus), 0));
  EXPECT_EQUAL(std::string(bus), "0000:00:00.0");
  int least = 0, greatest = 0;
  EXPECT_OK(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  EXPECT_EQUAL(greatest, -5);
}
