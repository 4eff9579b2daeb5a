// cuBLAS of the emulation, against plain loops. Elements are small integers, so that every sum is exact.
#include "cuda_emulation/injection.h"
#include "cuda_emulation/test_matrix.h"

using namespace residua::cuda_emulation;

namespace {

struct Case {
  cublasOperation_t op_a, op_b;
  cudaDataType in, out;
  int m, n, k;
  float alpha, beta;
};

float Term(const Matrix& matrix, cublasOperation_t op, int row, int column) {
  return op == CUBLAS_OP_N ? matrix.At(row, column) : matrix.At(column, row);
}

float Sum(const Case& c, const Matrix& a, const Matrix& b, int row, int column) {
  float sum = 0;
  for (int i = 0; i < c.k; ++i) sum += Term(a, c.op_a, row, i) * Term(b, c.op_b, i, column);
  return sum;
}

class Handle {
 public:
  Handle() { EXPECT_OK(cublasCreate(&handle_)); }
  ~Handle() { (void)cublasDestroy(handle_); }
  operator cublasHandle_t() const { return handle_; }

 private:
  cublasHandle_t handle_ = nullptr;
};

void CheckCase(cublasHandle_t handle, const Case& c) {
  const bool plain_a = c.op_a == CUBLAS_OP_N, plain_b = c.op_b == CUBLAS_OP_N;
  const int rows_a = plain_a ? c.m : c.k, rows_b = plain_b ? c.k : c.n;
  const Matrix a(c.in, rows_a, plain_a ? c.k : c.m, rows_a + 3, 1), b(c.in, rows_b, plain_b ? c.n : c.k, rows_b + 1, 2);
  Matrix product(c.out, c.m, c.n, c.m + 2, 3);
  const Matrix before(c.out, c.m, c.n, c.m + 2, 3);
  if (c.beta == 0) product.Set(0, 0, NAN);  // must not be read
  EXPECT_OK(cublasGemmEx(handle, c.op_a, c.op_b, c.m, c.n, c.k, &c.alpha, a.get(), a.type(), a.ld(), b.get(), b.type(),
                         b.ld(), &c.beta, product.get(), product.type(), product.ld(), CUBLAS_COMPUTE_32F,
                         CUBLAS_GEMM_DEFAULT));
  EXPECT_OK(cudaDeviceSynchronize());
  for (int column = 0; column < c.n; ++column) {
    for (int row = 0; row < c.m; ++row) {
      const float old = c.beta == 0 ? 0 : c.beta * before.At(row, column);
      EXPECT_EQUAL(product.At(row, column), product.Rounded(c.alpha * Sum(c, a, b, row, column) + old));
    }
  }
  EXPECT(product.GapsUntouched(c.n));
}

constexpr cublasOperation_t kOps[] = {CUBLAS_OP_N, CUBLAS_OP_T};

}  // namespace

TEST(EveryLayoutAndType, "cuBLAS: products in all layouts and types, within and across blocks") {
  const Handle handle;
  const std::pair<cudaDataType, cudaDataType> types[] = {{CUDA_R_32F, CUDA_R_32F},
                                                         {CUDA_R_16BF, CUDA_R_16BF},
                                                         {CUDA_R_16BF, CUDA_R_32F},
                                                         {CUDA_R_16F, CUDA_R_16F},
                                                         {CUDA_R_16F, CUDA_R_32F}};
  for (cublasOperation_t op_a : kOps) {
    for (cublasOperation_t op_b : kOps) {
      for (const auto& [in, out] : types) {
        CheckCase(handle, {op_a, op_b, in, out, 17, 9, 5, 1, 0});
        CheckCase(handle, {op_a, op_b, in, out, 1, 7, 20, 2, -1});
        CheckCase(handle, {op_a, op_b, in, out, 33, 1, 3, -1, 0.5f});
      }
      CheckCase(handle, {op_a, op_b, CUDA_R_32F, CUDA_R_32F, 150, 200, 270, 1, 1});
      CheckCase(handle, {op_a, op_b, CUDA_R_16BF, CUDA_R_32F, 129, 193, 257, 1, 0});
    }
  }
  CheckCase(handle, {CUBLAS_OP_N, CUBLAS_OP_N, CUDA_R_32F, CUDA_R_32F, 4, 5, 0, 1, 2});
}

TEST(Sgemm, "cuBLAS: cublasSgemm runs on the handle's stream") {
  const Handle handle;
  const Stream stream;
  EXPECT_OK(cublasSetStream(handle, stream));
  const Matrix a(CUDA_R_32F, 2, 2, 2, 1), b(CUDA_R_32F, 2, 2, 2, 2), c(CUDA_R_32F, 2, 2, 2, 3);
  const float before = c.At(0, 0), one = 1, zero = 0;
  EXPECT_OK(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, static_cast<float*>(a.get()), 2,
                        static_cast<float*>(b.get()), 2, &zero, static_cast<float*>(c.get()), 2));
  EXPECT_EQUAL(c.At(0, 0), before);
  EXPECT_OK(cudaStreamSynchronize(stream));
  EXPECT_EQUAL(c.At(0, 0), a.At(0, 0) * b.At(0, 0) + a.At(0, 1) * b.At(1, 0));
}

TEST(Batches, "cuBLAS: cublasGemmStridedBatchedEx strides through the batches; a stride of 0 repeats") {
  const Handle handle;
  const Matrix a(CUDA_R_32F, 3, 4 * 5, 3, 1), b(CUDA_R_32F, 4, 2, 4, 2), c(CUDA_R_32F, 3, 2 * 5, 3, 3);
  const float one = 1, zero = 0;
  EXPECT_OK(cublasGemmStridedBatchedEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, 3, 2, 4, &one, a.get(), CUDA_R_32F, 3, 12,
                                       b.get(), CUDA_R_32F, 4, 0, &zero, c.get(), CUDA_R_32F, 3, 6, 5,
                                       CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
  EXPECT_OK(cudaDeviceSynchronize());
  for (int batch = 0; batch < 5; ++batch) {
    for (int column = 0; column < 2; ++column) {
      float sum = 0;
      for (int i = 0; i < 4; ++i) sum += a.At(2, batch * 4 + i) * b.At(i, column);
      EXPECT_EQUAL(c.At(2, batch * 2 + column), sum);
    }
  }
}

TEST(Tf32, "cuBLAS: inputs are rounded to TF32 only where the mode allows it and RESIDUA_EMULATED_TF32=1 asks for it") {
  const Handle handle;
  Matrix a(CUDA_R_32F, 1, 1, 1, 1), b(CUDA_R_32F, 1, 1, 1, 2), c(CUDA_R_32F, 1, 1, 1, 3);
  const float exact = 1 + 0x1p-11f + 0x1p-20f, rounded = 1 + 0x1p-10f, one = 1, zero = 0;
  a.Set(0, 0, exact);
  b.Set(0, 0, 1);
  const auto multiply = [&](cublasComputeType_t compute) {
    EXPECT_OK(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, a.get(), CUDA_R_32F, 1, b.get(), CUDA_R_32F,
                           1, &zero, c.get(), CUDA_R_32F, 1, compute, CUBLAS_GEMM_DEFAULT));
    EXPECT_OK(cudaDeviceSynchronize());
    return c.At(0, 0);
  };
  EXPECT_EQUAL(multiply(CUBLAS_COMPUTE_32F_FAST_TF32), exact);
  const Environment tf32("RESIDUA_EMULATED_TF32", "1");
  EXPECT_EQUAL(multiply(CUBLAS_COMPUTE_32F), exact);
  EXPECT_EQUAL(multiply(CUBLAS_COMPUTE_32F_FAST_TF32), rounded);
  EXPECT_OK(cublasSetMathMode(handle, CUBLAS_TF32_TENSOR_OP_MATH));
  EXPECT_EQUAL(multiply(CUBLAS_COMPUTE_32F), rounded);
  EXPECT_EQUAL(multiply(CUBLAS_COMPUTE_32F_PEDANTIC), exact);
}

TEST(WrongProducts, "cuBLAS: sizes, leading dimensions, types and handles that cannot be are refused") {
  const Handle handle;
  const DeviceArray<float> memory(64);
  const float one = 1;
  const auto multiply = [&](int m, int lda, int ldc, cudaDataType type, cublasComputeType_t compute) {
    return cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, m, 2, 3, &one, memory.get(), type, lda, memory.get(), type, 3,
                        &one, memory.get(), type, ldc, compute, CUBLAS_GEMM_DEFAULT);
  };
  EXPECT_EQUAL(multiply(-1, 4, 4, CUDA_R_32F, CUBLAS_COMPUTE_32F), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQUAL(multiply(4, 3, 4, CUDA_R_32F, CUBLAS_COMPUTE_32F), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQUAL(multiply(4, 4, 3, CUDA_R_32F, CUBLAS_COMPUTE_32F), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQUAL(multiply(4, 4, 4, CUDA_R_8I, CUBLAS_COMPUTE_32F), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQUAL(multiply(4, 4, 4, CUDA_R_16F, CUBLAS_COMPUTE_16F), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQUAL(multiply(4, 4, 4, CUDA_R_16BF, CUBLAS_COMPUTE_32F_FAST_TF32), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQUAL(multiply(0, 4, 4, CUDA_R_32F, CUBLAS_COMPUTE_32F), CUBLAS_STATUS_SUCCESS);
  int version = 0;
  EXPECT_EQUAL(cublasGetVersion(nullptr, &version), CUBLAS_STATUS_NOT_INITIALIZED);
  EXPECT_OK(cublasGetVersion(handle, &version));
  EXPECT_EQUAL(version, CUBLAS_VERSION);
  EXPECT_EQUAL(cublasSetPointerMode(handle, CUBLAS_POINTER_MODE_DEVICE), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQUAL(cublasSetWorkspace(handle, memory.get() + 1, 16), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_OK(cublasSetWorkspace(handle, memory.get(), memory.bytes()));
}

TEST(ProductsOutOfRange, "cuBLAS: a matrix that is not all device memory loses the device") {
  const Handle handle;
  const DeviceArray<float> memory(11);  // one element short of 3 x 4
  const float one = 1;
  EXPECT_OK(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 3, 1, 4, &one, memory.get(), 3, memory.get(), 4, &one,
                        memory.get(), 3));
  EXPECT_EQUAL(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
}

TEST(CublasFaults, "cuBLAS: calls fail on request") {
  const Handle handle;
  residua_emulation_fail("cublasSetStream", 1, 0);
  EXPECT_EQUAL(cublasSetStream(handle, nullptr), CUBLAS_STATUS_EXECUTION_FAILED);
  EXPECT_OK(cublasSetStream(handle, nullptr));
  EXPECT_EQUAL(std::string(cublasGetStatusName(CUBLAS_STATUS_EXECUTION_FAILED)), "CUBLAS_STATUS_EXECUTION_FAILED");
}
