// Turns statuses of CUDA, cuDNN and cuBLAS into errors that say which call failed, where and why.
#include "cuda/check.h"

#include <cstring>
#include <string>

namespace residua::cuda {

namespace {

// What is known of a failed call. `status` is the library's name of it, `text` what it means.
struct FailedCall {
  const char* library;
  std::string status, text;
  bool out_of_memory;
};

// "cuda/allocator.cc:71"
std::string PlaceOf(const char* file, int line) {
  const char* folder = std::strstr(file, "cuda/");
  return std::string(folder == nullptr ? file : folder) + ":" + std::to_string(line);
}

[[noreturn]] void Fail(const FailedCall& failed, const char* call, const char* file, int line) {
  const std::string source = std::string(call) + " at " + PlaceOf(file, line);
  throw Error(failed.out_of_memory ? ErrorCode::kOutOfMemory : ErrorCode::kNative,
              std::string(failed.library) + " failed: " + failed.status + " (" + failed.text + ") in " + source + ".",
              {{"library", failed.library}, {"status", failed.status}, {"source", source}});
}

// cuDNN's own words on the last failure of this thread; "" where it has none.
std::string LastCudnnMessage() {
  char message[1024] = "";
  cudnnGetLastErrorString(message, sizeof(message));
  return message;
}

}  // namespace

void Check(cudaError_t status, const char* call, const char* file, int line) {
  if (status == cudaSuccess) return;
  // CUDA reports the same failure once more at the next call that asks; it has been told of here.
  static_cast<void>(cudaGetLastError());
  Fail({"CUDA", cudaGetErrorName(status), cudaGetErrorString(status), status == cudaErrorMemoryAllocation}, call, file,
       line);
}

void Check(cudnnStatus_t status, const char* call, const char* file, int line) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  const std::string name = cudnnGetErrorString(status), message = LastCudnnMessage();
  const bool out_of_memory = status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED ||
                             status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
  Fail({"cuDNN", name, message.empty() ? "no further message" : message, out_of_memory}, call, file, line);
}

void Check(cublasStatus_t status, const char* call, const char* file, int line) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  Fail({"cuBLAS", cublasGetStatusName(status), cublasGetStatusString(status), status == CUBLAS_STATUS_ALLOC_FAILED},
       call, file, line);
}

}  // namespace residua::cuda
