// The run-time API's description of the device: an H100, as far as programs can tell.
#include <cstdio>
#include <cstring>

#include "cuda_emulation/errors.h"
#include "cuda_emulation/injection.h"
#include "cuda_emulation/settings.h"

using namespace residua::cuda_emulation;

namespace {

thread_local int current_device = 0;

cudaDeviceProp Properties() {
  cudaDeviceProp device = {};
  std::snprintf(device.name, sizeof(device.name), "Emulated GPU");
  std::memcpy(device.uuid.bytes, "emulated-gpu-000", sizeof(device.uuid.bytes));
  device.totalGlobalMem = DeviceMemory();
  device.sharedMemPerBlock = 48 << 10;
  device.sharedMemPerBlockOptin = 227 << 10;
  device.sharedMemPerMultiprocessor = 228 << 10;
  device.reservedSharedMemPerBlock = 1 << 10;
  device.regsPerBlock = device.regsPerMultiprocessor = 65536;
  device.warpSize = 32;
  device.maxThreadsPerBlock = 1024;
  device.maxThreadsDim[0] = device.maxThreadsDim[1] = 1024;
  device.maxThreadsDim[2] = 64;
  device.maxGridSize[0] = 0x7fffffff;
  device.maxGridSize[1] = device.maxGridSize[2] = 65535;
  device.totalConstMem = 64 << 10;
  device.major = 9;
  device.minor = 0;
  device.multiProcessorCount = 132;
  device.maxThreadsPerMultiProcessor = 2048;
  device.maxBlocksPerMultiProcessor = 32;
  device.canMapHostMemory = 1;
  device.concurrentKernels = 1;
  device.ECCEnabled = 1;
  device.asyncEngineCount = 3;
  device.unifiedAddressing = 1;
  device.managedMemory = 1;
  device.memoryBusWidth = 5120;
  device.l2CacheSize = 50 << 20;
  device.persistingL2CacheMaxSize = 32 << 20;
  device.streamPrioritiesSupported = 1;
  device.cooperativeLaunch = 1;
  device.memoryPoolsSupported = 1;
  device.clusterLaunch = 1;
  return device;
}

cudaError_t CheckDevice(int device) {
  return device >= 0 && device < DeviceCount() ? cudaSuccess : cudaErrorInvalidDevice;
}

// The attribute's value, or -1 where there is no such attribute.
int Attribute(enum cudaDeviceAttr attribute) {
  const cudaDeviceProp device = Properties();
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      return device.maxThreadsPerBlock;
    case cudaDevAttrMaxBlockDimX:
      return device.maxThreadsDim[0];
    case cudaDevAttrMaxBlockDimY:
      return device.maxThreadsDim[1];
    case cudaDevAttrMaxBlockDimZ:
      return device.maxThreadsDim[2];
    case cudaDevAttrMaxGridDimX:
      return device.maxGridSize[0];
    case cudaDevAttrMaxGridDimY:
      return device.maxGridSize[1];
    case cudaDevAttrMaxGridDimZ:
      return device.maxGridSize[2];
    case cudaDevAttrMaxSharedMemoryPerBlock:
      return static_cast<int>(device.sharedMemPerBlock);
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      return static_cast<int>(device.sharedMemPerBlockOptin);
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      return static_cast<int>(device.sharedMemPerMultiprocessor);
    case cudaDevAttrReservedSharedMemoryPerBlock:
      return static_cast<int>(device.reservedSharedMemPerBlock);
    case cudaDevAttrTotalConstantMemory:
      return static_cast<int>(device.totalConstMem);
    case cudaDevAttrWarpSize:
      return device.warpSize;
    case cudaDevAttrMaxRegistersPerBlock:
      return device.regsPerBlock;
    case cudaDevAttrMaxRegistersPerMultiprocessor:
      return device.regsPerMultiprocessor;
    case cudaDevAttrClockRate:
      return 1980000;
    case cudaDevAttrMemoryClockRate:
      return 2619000;
    case cudaDevAttrMultiProcessorCount:
      return device.multiProcessorCount;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      return device.maxThreadsPerMultiProcessor;
    case cudaDevAttrMaxBlocksPerMultiprocessor:
      return device.maxBlocksPerMultiProcessor;
    case cudaDevAttrIntegrated:
      return device.integrated;
    case cudaDevAttrCanMapHostMemory:
      return device.canMapHostMemory;
    case cudaDevAttrConcurrentKernels:
      return device.concurrentKernels;
    case cudaDevAttrEccEnabled:
      return device.ECCEnabled;
    case cudaDevAttrPciBusId:
      return device.pciBusID;
    case cudaDevAttrPciDeviceId:
      return device.pciDeviceID;
    case cudaDevAttrPciDomainId:
      return device.pciDomainID;
    case cudaDevAttrGlobalMemoryBusWidth:
      return device.memoryBusWidth;
    case cudaDevAttrL2CacheSize:
      return device.l2CacheSize;
    case cudaDevAttrMaxPersistingL2CacheSize:
      return device.persistingL2CacheMaxSize;
    case cudaDevAttrAsyncEngineCount:
      return device.asyncEngineCount;
    case cudaDevAttrUnifiedAddressing:
      return device.unifiedAddressing;
    case cudaDevAttrComputeCapabilityMajor:
      return device.major;
    case cudaDevAttrComputeCapabilityMinor:
      return device.minor;
    case cudaDevAttrStreamPrioritiesSupported:
      return device.streamPrioritiesSupported;
    case cudaDevAttrManagedMemory:
      return device.managedMemory;
    case cudaDevAttrCooperativeLaunch:
      return device.cooperativeLaunch;
    case cudaDevAttrHostRegisterSupported:
      return 1;
    case cudaDevAttrMemoryPoolsSupported:
      return device.memoryPoolsSupported;
    case cudaDevAttrClusterLaunch:
      return device.clusterLaunch;
  }
  return -1;
}

}  // namespace

// These two answer whatever the device's state is.
cudaError_t cudaDriverGetVersion(int* driverVersion) {
  if (driverVersion == nullptr) return Report(cudaErrorInvalidValue);
  *driverVersion = DriverVersion();
  return Report(static_cast<cudaError_t>(InjectedFault(__func__, cudaErrorUnknown)));
}

cudaError_t cudaRuntimeGetVersion(int* runtimeVersion) {
  if (runtimeVersion == nullptr) return Report(cudaErrorInvalidValue);
  *runtimeVersion = CUDART_VERSION;
  return Report(static_cast<cudaError_t>(InjectedFault(__func__, cudaErrorUnknown)));
}

cudaError_t cudaGetDeviceCount(int* count) {
  if (count != nullptr) *count = 0;
  return Call(__func__, [&] {
    if (count == nullptr) return cudaErrorInvalidValue;
    *count = DeviceCount();
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int device) {
  return Call(__func__, [&] {
    const cudaError_t status = CheckDevice(device);
    if (status == cudaSuccess) current_device = device;
    return status;
  });
}

cudaError_t cudaGetDevice(int* device) {
  return Call(__func__, [&] {
    if (device == nullptr) return cudaErrorInvalidValue;
    *device = current_device;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp* prop, int device) {
  return Call(__func__, [&] {
    if (prop == nullptr) return cudaErrorInvalidValue;
    const cudaError_t status = CheckDevice(device);
    if (status == cudaSuccess) *prop = Properties();
    return status;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, enum cudaDeviceAttr attr, int device) {
  return Call(__func__, [&] {
    if (value == nullptr) return cudaErrorInvalidValue;
    const cudaError_t status = CheckDevice(device);
    if (status != cudaSuccess) return status;
    const int answer = Attribute(attr);
    if (answer < 0) return cudaErrorInvalidValue;
    *value = answer;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetPCIBusId(char* pciBusId, int len, int device) {
  return Call(__func__, [&] {
    if (pciBusId == nullptr || len < 13) return cudaErrorInvalidValue;
    const cudaError_t status = CheckDevice(device);
    if (status == cudaSuccess) std::snprintf(pciBusId, static_cast<size_t>(len), "0000:%02x:00.0", device);
    return status;
  });
}
