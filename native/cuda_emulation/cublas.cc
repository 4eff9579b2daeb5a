// cuBLAS: handles and the matrix products on them. Scalars are read from the host, when the call is made.
#include <mutex>
#include <set>

#include "cuda_emulation/cublas_product.h"
#include "cuda_emulation/memory.h"
#include "cuda_emulation/settings.h"
#include "cuda_emulation/streams.h"

using namespace residua::cuda_emulation;

struct cublasContext {
  cudaStream_t stream = nullptr;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
  void* workspace = nullptr;
  size_t workspace_bytes = 0;
};

namespace {

constexpr size_t kWorkspaceAlignment = 256;

struct Handles {
  std::mutex mutex;
  std::set<cublasHandle_t> live;
};

Handles& All() {
  static auto* all = new Handles;  // never destroyed: threads may call until the process ends
  return *all;
}

template <class Body>
cublasStatus_t WithHandle(const char* function, cublasHandle_t handle, const Body& body) {
  return CublasCall(function, [&] {
    Handles& all = All();
    const std::lock_guard<std::mutex> lock(all.mutex);
    return all.live.count(handle) == 0 ? CUBLAS_STATUS_NOT_INITIALIZED : body();
  });
}

float Scalar(const void* value) { return *static_cast<const float*>(value); }

// The matrix whose op(...) is rows x columns.
ColumnMajor Stored(const void* data, cudaDataType type, cublasOperation_t op, int64_t rows, int64_t columns, int64_t ld,
                   int64_t batch_stride) {
  ColumnMajor matrix = {data, type, rows, columns, ld, batch_stride};
  if (op != CUBLAS_OP_N) std::swap(matrix.rows, matrix.columns);
  return matrix;
}

cublasStatus_t Multiply(cublasHandle_t handle, const void* alpha, const void* beta, Product product) {
  if (alpha == nullptr || beta == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  product.epilogue.alpha = Scalar(alpha);
  product.epilogue.beta = Scalar(beta);
  product.d = product.c;
  product.math = handle->math;
  product.workspace = handle->workspace;
  product.workspace_bytes = handle->workspace_bytes;
  return EnqueueProduct(product, handle->stream);
}

bool IsKnown(cublasGemmAlgo_t algo) { return algo == CUBLAS_GEMM_DEFAULT || algo == CUBLAS_GEMM_DEFAULT_TENSOR_OP; }

}  // namespace

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  return CublasCall("cublasCreate", [&] {
    if (handle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    if (DeviceCount() == 0) return CUBLAS_STATUS_NOT_INITIALIZED;
    *handle = new cublasContext;
    Handles& all = All();
    const std::lock_guard<std::mutex> lock(all.mutex);
    all.live.insert(*handle);
    return CUBLAS_STATUS_SUCCESS;
  });
}

// Waits for all work, as the library documents.
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  return WithHandle("cublasDestroy", handle, [&] {
    RunAllStreams();
    All().live.erase(handle);
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasGetVersion_v2(cublasHandle_t handle, int* version) {
  return WithHandle("cublasGetVersion", handle, [&] {
    if (version == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *version = CUBLAS_VERSION;
    return CUBLAS_STATUS_SUCCESS;
  });
}

// Takes the caller's workspace away, as the library does.
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t streamId) {
  return WithHandle("cublasSetStream", handle, [&] {
    if (!IsStream(streamId)) return CUBLAS_STATUS_INVALID_VALUE;
    handle->stream = streamId;
    handle->workspace = nullptr;
    handle->workspace_bytes = 0;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t* streamId) {
  return WithHandle("cublasGetStream", handle, [&] {
    if (streamId == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *streamId = handle->stream;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t workspaceSizeInBytes) {
  return WithHandle("cublasSetWorkspace", handle, [&] {
    const bool is_aligned = reinterpret_cast<uintptr_t>(workspace) % kWorkspaceAlignment == 0;
    const bool is_device = workspace == nullptr || IsWithin(MemoryKind::kDevice, workspace, workspaceSizeInBytes);
    if (!is_aligned || !is_device) return CUBLAS_STATUS_INVALID_VALUE;
    handle->workspace = workspace;
    handle->workspace_bytes = workspace == nullptr ? 0 : workspaceSizeInBytes;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode) {
  return WithHandle("cublasSetPointerMode", handle, [&] {
    return mode == CUBLAS_POINTER_MODE_HOST ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
  });
}

cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t* mode) {
  return WithHandle("cublasGetPointerMode", handle, [&] {
    if (mode == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *mode = CUBLAS_POINTER_MODE_HOST;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  return WithHandle(__func__, handle, [&] {
    const int base = mode & ~CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
    const bool is_known =
        base == CUBLAS_DEFAULT_MATH || base == CUBLAS_PEDANTIC_MATH || base == CUBLAS_TF32_TENSOR_OP_MATH;
    if (!is_known) return CUBLAS_STATUS_INVALID_VALUE;
    handle->math = mode;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode) {
  return WithHandle(__func__, handle, [&] {
    if (mode == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *mode = handle->math;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n,
                              int k, const float* alpha, const float* A, int lda, const float* B, int ldb,
                              const float* beta, float* C, int ldc) {
  return WithHandle("cublasSgemm", handle, [&] {
    Product product;
    product.op_a = transa;
    product.op_b = transb;
    product.a = Stored(A, CUDA_R_32F, transa, m, k, lda, 0);
    product.b = Stored(B, CUDA_R_32F, transb, k, n, ldb, 0);
    product.c = Stored(C, CUDA_R_32F, CUBLAS_OP_N, m, n, ldc, 0);
    return Multiply(handle, alpha, beta, product);
  });
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n,
                            int k, const void* alpha, const void* A, cudaDataType Atype, int lda, const void* B,
                            cudaDataType Btype, int ldb, const void* beta, void* C, cudaDataType Ctype, int ldc,
                            cublasComputeType_t computeType, cublasGemmAlgo_t algo) {
  return WithHandle(__func__, handle, [&] {
    if (!IsKnown(algo)) return CUBLAS_STATUS_INVALID_VALUE;
    Product product;
    product.op_a = transa;
    product.op_b = transb;
    product.compute = computeType;
    product.a = Stored(A, Atype, transa, m, k, lda, 0);
    product.b = Stored(B, Btype, transb, k, n, ldb, 0);
    product.c = Stored(C, Ctype, CUBLAS_OP_N, m, n, ldc, 0);
    return Multiply(handle, alpha, beta, product);
  });
}

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb,
                                          int m, int n, int k, const void* alpha, const void* A, cudaDataType Atype,
                                          int lda, long long int strideA, const void* B, cudaDataType Btype, int ldb,
                                          long long int strideB, const void* beta, void* C, cudaDataType Ctype, int ldc,
                                          long long int strideC, int batchCount, cublasComputeType_t computeType,
                                          cublasGemmAlgo_t algo) {
  return WithHandle(__func__, handle, [&] {
    if (!IsKnown(algo) || strideA < 0 || strideB < 0 || strideC < 0) return CUBLAS_STATUS_INVALID_VALUE;
    Product product;
    product.op_a = transa;
    product.op_b = transb;
    product.batches = batchCount;
    product.compute = computeType;
    product.a = Stored(A, Atype, transa, m, k, lda, strideA);
    product.b = Stored(B, Btype, transb, k, n, ldb, strideB);
    product.c = Stored(C, Ctype, CUBLAS_OP_N, m, n, ldc, strideC);
    return Multiply(handle, alpha, beta, product);
  });
}
