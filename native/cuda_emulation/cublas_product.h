// What cublas.cc and cublas_lt.cc share: the frame of their functions, and products as queued work.
#pragma once
#include "cublas_v2.h"
#include "cuda_emulation/errors.h"
#include "cuda_emulation/host_gemm.h"
#include "cuda_emulation/injection.h"

namespace residua::cuda_emulation {

// The frame of a function of the library: injected faults and a lost device come before it.
template <class Body>
cublasStatus_t CublasCall(const char* function, const Body& body) {
  const int fault = InjectedFault(function, CUBLAS_STATUS_EXECUTION_FAILED);
  if (fault != 0) return static_cast<cublasStatus_t>(fault);
  return DeviceError() != cudaSuccess ? CUBLAS_STATUS_EXECUTION_FAILED : body();
}

// A matrix of the caller: columns of `rows` neighbouring elements, `ld` elements apart.
struct ColumnMajor {
  const void* data = nullptr;
  cudaDataType type = CUDA_R_32F;
  int64_t rows = 0, columns = 0, ld = 0;
  int64_t batch_stride = 0;  // elements
};

struct Product {
  ColumnMajor a, b, c, d;  // as stored; d = alpha * op(a) op(b) + beta * c
  cublasOperation_t op_a = CUBLAS_OP_N, op_b = CUBLAS_OP_N;
  int64_t batches = 1;
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
  GemmEpilogue epilogue;
  void* workspace = nullptr;  // a GPU writes there, so the emulation does too
  size_t workspace_bytes = 0;
};

size_t ElementBytes(cudaDataType type);

// Whether shapes, types and leading dimensions fit together.
cublasStatus_t CheckProduct(const Product& product);
// Checks and queues. Addresses are checked when the stream gets there: wrong ones lose the device, as on a GPU.
cublasStatus_t EnqueueProduct(const Product& product, cudaStream_t stream);

}  // namespace residua::cuda_emulation
