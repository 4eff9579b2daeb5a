// What this machine has of what the CUDA backend needs.
#pragma once
#include <cstddef>
#include <string>

namespace residua::cuda {

struct DeviceFacts {
  std::string name;
  int capability_major = 0, capability_minor = 0;
  int multiprocessors = 0;
  size_t memory_total = 0;
};

// Throws Error(kBackendUnavailable) where driver, GPU number `device` or cuDNN are missing or do not fit.
DeviceFacts ProbeDevice(int device);

// "13.0" of CUDA's 13000, "9.24.0" of cuDNN's 92400.
std::string CudaVersionText(int version);
std::string CudnnVersionText(size_t version);

// Of the driver: the CUDA version it supports; 0 without a driver.
int DriverCudaVersion();

}  // namespace residua::cuda
