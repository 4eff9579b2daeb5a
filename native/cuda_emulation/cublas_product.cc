// Checks a matrix product, and runs it when its stream gets there.
#include "cuda_emulation/cublas_product.h"

#include <algorithm>
#include <cstring>

#include "cuda_emulation/memory.h"
#include "cuda_emulation/settings.h"
#include "cuda_emulation/streams.h"

namespace residua::cuda_emulation {
namespace {

constexpr unsigned char kScribbleByte = 0xFF;  // a NaN in every floating-point type

bool IsKnown(cublasOperation_t op) { return op == CUBLAS_OP_N || op == CUBLAS_OP_T || op == CUBLAS_OP_C; }

// The combinations of NVIDIA's tables for cublasGemmEx and cublasLtMatmul that have float arithmetic.
bool IsSupported(const Product& product) {
  const cudaDataType in = product.a.type, out = product.d.type;
  if (product.b.type != in || product.c.type != out) return false;
  const bool is_float = in == CUDA_R_32F;
  const bool is_16_bit = in == CUDA_R_16BF || in == CUDA_R_16F;
  const bool fits = (is_float && out == CUDA_R_32F) || (is_16_bit && (out == in || out == CUDA_R_32F));
  switch (product.compute) {
    case CUBLAS_COMPUTE_32F:
    case CUBLAS_COMPUTE_32F_PEDANTIC:
      return fits;
    case CUBLAS_COMPUTE_32F_FAST_TF32:
    case CUBLAS_COMPUTE_32F_FAST_16BF:
    case CUBLAS_COMPUTE_32F_FAST_16F:
      return is_float && out == CUDA_R_32F;
    default:
      return false;
  }
}

bool IsWhole(const ColumnMajor& matrix) {
  return matrix.rows >= 0 && matrix.columns >= 0 && matrix.ld >= std::max<int64_t>(1, matrix.rows);
}

bool MayRoundToTf32(const Product& product) {
  const bool asked = product.compute == CUBLAS_COMPUTE_32F_FAST_TF32 ||
                     (product.compute == CUBLAS_COMPUTE_32F && product.math == CUBLAS_TF32_TENSOR_OP_MATH);
  return asked && product.a.type == CUDA_R_32F && AllowsTf32Rounding();
}

// Whether the device may touch all of the matrix, in every batch, and its address suits its type.
bool CanReach(const ColumnMajor& matrix, int64_t batches) {
  if (matrix.rows == 0 || matrix.columns == 0) return true;
  const size_t element = ElementBytes(matrix.type);
  const int64_t last = (batches - 1) * matrix.batch_stride + (matrix.columns - 1) * matrix.ld + matrix.rows;
  return reinterpret_cast<uintptr_t>(matrix.data) % element == 0 &&
         IsReachable(matrix.data, static_cast<size_t>(last) * element);
}

bool AllReachable(const Product& product) {
  const GemmEpilogue& epilogue = product.epilogue;
  const size_t bias_bytes = static_cast<size_t>(product.d.rows) * ElementBytes(product.d.type);
  return CanReach(product.a, product.batches) && CanReach(product.b, product.batches) &&
         CanReach(product.d, product.batches) && (epilogue.beta == 0 || CanReach(product.c, product.batches)) &&
         (epilogue.row_bias == nullptr || IsReachable(epilogue.row_bias, bias_bytes)) &&
         (product.workspace == nullptr || IsReachable(product.workspace, product.workspace_bytes));
}

MatrixView ViewOf(const ColumnMajor& matrix, int64_t batch, cublasOperation_t op) {
  MatrixView view;
  const auto offset = batch * matrix.batch_stride * static_cast<int64_t>(ElementBytes(matrix.type));
  view.data = const_cast<char*>(static_cast<const char*>(matrix.data)) + offset;
  view.type = matrix.type;
  view.row_stride = op == CUBLAS_OP_N ? 1 : matrix.ld;
  view.column_stride = op == CUBLAS_OP_N ? matrix.ld : 1;
  return view;
}

void Run(const Product& product) {
  if (!AllReachable(product)) {
    return LoseDevice(cudaErrorIllegalAddress, "a matrix product reaches memory that the device may not touch");
  }
  if (product.workspace != nullptr) std::memset(product.workspace, kScribbleByte, product.workspace_bytes);
  GemmEpilogue epilogue = product.epilogue;
  epilogue.round_to_tf32 = MayRoundToTf32(product);
  const int64_t terms = product.op_a == CUBLAS_OP_N ? product.a.columns : product.a.rows;
  for (int64_t batch = 0; batch < product.batches; ++batch) {
    const MatrixView c_in = epilogue.beta != 0 ? ViewOf(product.c, batch, CUBLAS_OP_N) : MatrixView{};
    HostGemm(product.d.rows, product.d.columns, terms, ViewOf(product.a, batch, product.op_a),
             ViewOf(product.b, batch, product.op_b), c_in, ViewOf(product.d, batch, CUBLAS_OP_N), epilogue);
  }
}

}  // namespace

size_t ElementBytes(cudaDataType type) { return type == CUDA_R_32F ? 4 : 2; }

cublasStatus_t CheckProduct(const Product& product) {
  if (!IsKnown(product.op_a) || !IsKnown(product.op_b) || product.batches < 0) return CUBLAS_STATUS_INVALID_VALUE;
  for (const ColumnMajor* matrix : {&product.a, &product.b, &product.c, &product.d}) {
    if (!IsWhole(*matrix)) return CUBLAS_STATUS_INVALID_VALUE;
  }
  const bool plain_a = product.op_a == CUBLAS_OP_N, plain_b = product.op_b == CUBLAS_OP_N;
  const int64_t m = plain_a ? product.a.rows : product.a.columns;
  const int64_t k = plain_a ? product.a.columns : product.a.rows;
  const int64_t k_of_b = plain_b ? product.b.rows : product.b.columns;
  const int64_t n = plain_b ? product.b.columns : product.b.rows;
  const bool fits =
      k == k_of_b && product.d.rows == m && product.d.columns == n && product.c.rows == m && product.c.columns == n;
  if (!fits) return CUBLAS_STATUS_INVALID_VALUE;
  return IsSupported(product) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

cublasStatus_t EnqueueProduct(const Product& product, cudaStream_t stream) {
  const cublasStatus_t status = CheckProduct(product);
  if (status != CUBLAS_STATUS_SUCCESS) return status;
  if (product.d.rows == 0 || product.d.columns == 0 || product.batches == 0) return CUBLAS_STATUS_SUCCESS;
  const cudaError_t queued = Enqueue(stream, [product] { Run(product); });
  return queued == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // namespace residua::cuda_emulation
