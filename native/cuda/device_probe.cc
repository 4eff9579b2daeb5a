// What this machine has of what the CUDA backend needs: driver, GPU, cuDNN.
#include "cuda/device_probe.h"

#include <cuda_runtime.h>
#include <cudnn.h>

#include <cstdlib>

#include "core/bytes.h"
#include "cuda/unavailable.h"

namespace residua::cuda {

namespace {

constexpr size_t kLeastFreeMemory = size_t{256} << 20;  // CUDA's, cuDNN's and cuBLAS's own, and a little to work with

std::string DescribeStatus(cudaError_t status) {
  return std::string(cudaGetErrorName(status)) + " (" + cudaGetErrorString(status) + ")";
}

// The driver as the CUDA version that this library is built with needs it.
std::string NeededDriver() {
  const std::string minimum = CUDART_VERSION >= 13000 ? "580" : "525";
  return "an NVIDIA driver for CUDA " + CudaVersionText(CUDART_VERSION) + " (version " + minimum + " or later)";
}

std::string VisibleDevices() {
  const char* text = std::getenv("CUDA_VISIBLE_DEVICES");
  return text == nullptr ? "" : " CUDA_VISIBLE_DEVICES is '" + std::string(text) + "'.";
}

[[noreturn]] void FailDriver(cudaError_t status) {
  const int version = DriverCudaVersion();
  if (version == 0) {
    throw Unavailable(NeededDriver(), "Found no driver (libcuda.so.1).",
                      "Install the driver of your GPU (Debian: nvidia-driver, Ubuntu: ubuntu-drivers install); in a "
                      "container, start it with --gpus all.");
  }
  if (version < CUDART_VERSION) {
    throw Unavailable(NeededDriver(), "Found one for CUDA " + CudaVersionText(version) + ", which is too old.",
                      "Update the driver, or build with a CUDA toolkit of version " + CudaVersionText(version) +
                          " or earlier: npm run build:native.");
  }
  throw Unavailable(
      NeededDriver(),
      "Found one for CUDA " + CudaVersionText(version) + ", which fails with " + DescribeStatus(status) + ".",
      "See whether nvidia-smi works; a restart helps where the driver has been updated.");
}

// How many GPUs there are; throws where the driver does not work.
int CountDevices() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  static_cast<void>(cudaGetLastError());
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
    throw Unavailable(
        "an NVIDIA GPU",
        "Found a driver for CUDA " + CudaVersionText(DriverCudaVersion()) + ", but no GPU." + VisibleDevices(),
        "See whether 'nvidia-smi -L' lists one; in a container, start it with --gpus all.");
  }
  if (status != cudaSuccess) FailDriver(status);
  return count;
}

void CheckCudnn() {
  const size_t loaded = cudnnGetVersion(), built = CUDNN_VERSION;
  if (loaded / 10000 == built / 10000 && loaded / 100 >= built / 100) return;
  throw Unavailable("cuDNN " + std::to_string(built / 10000) + ", version " + CudnnVersionText(built) + " or later",
                    "Found version " + CudnnVersionText(loaded) + ".",
                    "Let the dynamic linker find the one that the library was built with (LD_LIBRARY_PATH), or build "
                    "again with this one: npm run build:native.");
}

void CheckMemory() {
  size_t free = 0, total = 0;
  const cudaError_t status = cudaMemGetInfo(&free, &total);  // starts CUDA on the GPU, which takes memory too
  static_cast<void>(cudaGetLastError());
  if (status == cudaSuccess && free >= kLeastFreeMemory) return;
  const std::string looked_for = FormatBytes(kLeastFreeMemory) + " of free GPU memory";
  if (status == cudaSuccess || status == cudaErrorMemoryAllocation) {
    throw Unavailable(looked_for, "Found " + FormatBytes(free) + " free of " + FormatBytes(total) + ".",
                      "nvidia-smi shows which processes use it.");
  }
  throw Unavailable("a GPU that can be used", "CUDA fails on it with " + DescribeStatus(status) + ".",
                    "See what nvidia-smi says of it; another process may have it for itself (compute mode).");
}

}  // namespace

std::string CudaVersionText(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string CudnnVersionText(size_t version) {
  return std::to_string(version / 10000) + "." + std::to_string(version % 10000 / 100) + "." +
         std::to_string(version % 100);
}

int DriverCudaVersion() {
  int version = 0;
  if (cudaDriverGetVersion(&version) != cudaSuccess) static_cast<void>(cudaGetLastError());
  return version;
}

DeviceFacts ProbeDevice(int device) {
  const int count = CountDevices();
  if (device >= count) {
    throw Unavailable(
        "GPU number " + std::to_string(device),
        "Found " +
            (count == 1 ? std::string("one GPU, gpu(0).")
                        : std::to_string(count) + " GPUs, gpu(0) to gpu(" + std::to_string(count - 1) + ").") +
            VisibleDevices(),
        "Choose one of these; 'nvidia-smi -L' lists them.");
  }
  CheckCudnn();
  cudaDeviceProp properties;
  cudaError_t status = cudaGetDeviceProperties(&properties, device);
  if (status == cudaSuccess) status = cudaSetDevice(device);
  if (status != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    throw Unavailable("GPU number " + std::to_string(device), "CUDA fails on it with " + DescribeStatus(status) + ".",
                      "See what nvidia-smi says of it.");
  }
  CheckMemory();
  return {properties.name, properties.major, properties.minor, properties.multiProcessorCount,
          properties.totalGlobalMem};
}

}  // namespace residua::cuda
