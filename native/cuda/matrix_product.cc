// Products of plain (row-major) matrices by cuBLAS, whose matrices are column-major: a plain matrix is the transpose of
// the one that cuBLAS sees at its address. So c^T = b^T a^T is computed, with the operands in turn.
#include "cuda/matrix_product.h"

#include <limits>
#include <string>

#include "cuda/check.h"

namespace residua::cuda {
namespace {

int Size(int64_t size) {
  if (size <= std::numeric_limits<int>::max()) return static_cast<int>(size);
  throw Error(ErrorCode::kNative,
              "cuBLAS expected matrices of at most 2147483647 rows and columns, got " + std::to_string(size) + ".");
}

}  // namespace

cudaDataType_t CublasType(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return CUDA_R_32F;
    case DType::kBFloat16:
      return CUDA_R_16BF;
    case DType::kFloat16:
      return CUDA_R_16F;
    default:
      throw Error(ErrorCode::kDType,
                  std::string("A matrix product expected a floating-point type, got ") + Name(dtype) + ".");
  }
}

cublasComputeType_t CublasComputeType(const CudaContext& context, DType dtype) {
  const bool tf32 = dtype == DType::kFloat32 && context.options.allow_tf32;
  return tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

void LaunchProduct(const CudaContext& context, const MatrixProduct& product, const void* a, const void* b, void* c) {
  const float one = 1, zero = 0;
  const int m = Size(product.m), n = Size(product.n), k = Size(product.k);
  const cudaDataType_t type = CublasType(product.type);
  RESIDUA_CUDA(cublasGemmEx(context.cublas, product.transposed_b ? CUBLAS_OP_T : CUBLAS_OP_N,
                            product.transposed_a ? CUBLAS_OP_T : CUBLAS_OP_N, n, m, k, &one, b, type,
                            product.transposed_b ? k : n, a, type, product.transposed_a ? m : k, &zero, c,
                            CublasType(product.c_type), n, CublasComputeType(context, product.type),
                            CUBLAS_GEMM_DEFAULT));
}

}  // namespace residua::cuda
