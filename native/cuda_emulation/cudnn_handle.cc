// Handles, versions and error texts of the emulated cuDNN.
#include "cuda_emulation/cudnn_handle.h"

#include <cstdio>
#include <memory>
#include <mutex>
#include <set>

#include "cuda_emulation/cudnn_error.h"
#include "cuda_emulation/errors.h"
#include "cuda_emulation/settings.h"
#include "cuda_emulation/streams.h"

namespace residua::cuda_emulation {
namespace {

thread_local std::string last_error;

struct LiveHandles {
  std::mutex mutex;
  std::set<cudnnHandle_t> handles;
};

LiveHandles& Live() {
  static LiveHandles live;
  return live;
}

}  // namespace

cudnnStatus_t ReportCudnn(cudnnStatus_t status, const std::string& text) {
  last_error = text;
  return status;
}

cudnnContext& LiveHandle(cudnnHandle_t handle) {
  RequirePointer(handle, "The handle");
  LiveHandles& live = Live();
  std::lock_guard<std::mutex> lock(live.mutex);
  if (live.handles.count(handle) == 0) Refuse(CUDNN_STATUS_BAD_PARAM, "The handle is not a live handle of cuDNN.");
  return *handle;
}

}  // namespace residua::cuda_emulation

using namespace residua::cuda_emulation;

extern "C" {

size_t cudnnGetVersion(void) { return CUDNN_VERSION; }

size_t cudnnGetMaxDeviceVersion(void) { return 1210; }

size_t cudnnGetCudartVersion(void) { return CUDART_VERSION; }

void cudnnGetLastErrorString(char* message, size_t max_size) {
  if (message != nullptr && max_size > 0) std::snprintf(message, max_size, "%s", last_error.c_str());
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  return CudnnCall(__func__, CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED, [&] {
    RequirePointer(handle, "handle");
    if (DeviceCount() == 0) Refuse(CUDNN_STATUS_NOT_INITIALIZED, "There is no CUDA device.");
    if (DeviceError() != cudaSuccess) Refuse(CUDNN_STATUS_NOT_INITIALIZED, "The device is lost.");
    auto context = std::make_unique<cudnnContext>();
    LiveHandles& live = Live();
    std::lock_guard<std::mutex> lock(live.mutex);
    live.handles.insert(context.get());
    *handle = context.release();
  });
}

// Waits for the device, as cuDNN does. A failure made on request comes after the handle is gone, so that it leaks none.
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  if (handle == nullptr) return CUDNN_STATUS_SUCCESS;
  {
    LiveHandles& live = Live();
    std::lock_guard<std::mutex> lock(live.mutex);
    if (live.handles.erase(handle) == 0) {
      return ReportCudnn(CUDNN_STATUS_BAD_PARAM, "cudnnDestroy: not a live handle of cuDNN.");
    }
  }
  RunAllStreams();
  delete handle;
  return CudnnCall(__func__, CUDNN_STATUS_INTERNAL_ERROR, [] {});
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  return CudnnCall(__func__, CUDNN_STATUS_BAD_PARAM_STREAM_MISMATCH, [&] {
    cudnnContext& context = LiveHandle(handle);
    if (!IsStream(stream)) Refuse(CUDNN_STATUS_BAD_PARAM, "The stream is not a live stream.");
    context.stream = stream;
  });
}

cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t* stream) {
  return CudnnCall(__func__, CUDNN_STATUS_BAD_PARAM, [&] {
    RequirePointer(stream, "stream");
    *stream = LiveHandle(handle).stream;
  });
}

#define RESIDUA_STATUS_NAME(name) \
  case name:                      \
    return #name;

const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
    RESIDUA_STATUS_NAME(CUDNN_STATUS_SUCCESS)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_NOT_INITIALIZED)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_BAD_PARAM)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_BAD_PARAM_NULL_POINTER)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_BAD_PARAM_STREAM_MISMATCH)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_NOT_SUPPORTED)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_NOT_SUPPORTED_SHAPE)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_INTERNAL_ERROR)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_INTERNAL_ERROR_UNEXPECTED_VALUE)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_EXECUTION_FAILED)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER)
    RESIDUA_STATUS_NAME(CUDNN_STATUS_EXECUTION_FAILED_CUDART)
    default:
      return "CUDNN_STATUS_UNKNOWN";
  }
}

}  // extern "C"
