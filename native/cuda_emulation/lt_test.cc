// cublasLt of the emulation, against plain loops. Elements are small integers, so that every sum is exact.
#include <cstdint>

#include "cublasLt.h"
#include "cuda_emulation/test_matrix.h"

using namespace residua::cuda_emulation;

namespace {

// Descriptors of d = op(a) op(b) for cublasLt; a [k, m] transposed, b [k, n].
struct LtProduct {
  LtProduct(cudaDataType type, int m, int n, int k) {
    EXPECT_OK(cublasLtCreate(&handle));
    EXPECT_OK(cublasLtMatmulDescCreate(&desc, CUBLAS_COMPUTE_32F, CUDA_R_32F));
    const int32_t transposed = CUBLAS_OP_T;
    EXPECT_OK(cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof(transposed)));
    EXPECT_OK(cublasLtMatrixLayoutCreate(&a, type, static_cast<uint64_t>(k), static_cast<uint64_t>(m), k));
    EXPECT_OK(cublasLtMatrixLayoutCreate(&b, type, static_cast<uint64_t>(k), static_cast<uint64_t>(n), k));
    EXPECT_OK(cublasLtMatrixLayoutCreate(&d, type, static_cast<uint64_t>(m), static_cast<uint64_t>(n), m));
    EXPECT_OK(cublasLtMatmulPreferenceCreate(&preference));
  }
  ~LtProduct() {
    (void)cublasLtMatmulPreferenceDestroy(preference);
    for (cublasLtMatrixLayout_t layout : {a, b, d}) (void)cublasLtMatrixLayoutDestroy(layout);
    (void)cublasLtMatmulDescDestroy(desc);
    (void)cublasLtDestroy(handle);
  }
  template <class T>
  cublasStatus_t Set(cublasLtMatmulDescAttributes_t name, T value) const {
    return cublasLtMatmulDescSetAttribute(desc, name, &value, sizeof(value));
  }
  cublasStatus_t Choose(cublasLtMatmulHeuristicResult_t* result, int* found) const {
    return cublasLtMatmulAlgoGetHeuristic(handle, desc, a, b, d, d, preference, 1, result, found);
  }
  cublasStatus_t Multiply(const void* a_data, const void* b_data, void* d_data, const cublasLtMatmulAlgo_t* algo,
                          void* workspace, size_t bytes) const {
    const float one = 1, zero = 0;
    return cublasLtMatmul(handle, desc, &one, a_data, a, b_data, b, &zero, d_data, d, d_data, d, algo, workspace, bytes,
                          nullptr);
  }

  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulDesc_t desc = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, d = nullptr;
  cublasLtMatmulPreference_t preference = nullptr;
};

}  // namespace

TEST(LtEpilogues, "cublasLt: bias along the rows and ReLU, in each type") {
  const DeviceArray<char> workspace(1 << 16);
  for (cudaDataType type : {CUDA_R_32F, CUDA_R_16BF, CUDA_R_16F}) {
    const LtProduct lt(type, 10, 20, 30);
    const Matrix a(type, 30, 10, 30, 1), b(type, 30, 20, 30, 2), bias(type, 10, 1, 10, 3), d(type, 10, 20, 10, 4);
    EXPECT_OK(lt.Set(CUBLASLT_MATMUL_DESC_EPILOGUE, uint32_t{CUBLASLT_EPILOGUE_RELU_BIAS}));
    EXPECT_EQUAL(lt.Multiply(a.get(), b.get(), d.get(), nullptr, nullptr, 0), CUBLAS_STATUS_INVALID_VALUE);
    EXPECT_OK(lt.Set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(bias.get())));
    const uint64_t most = workspace.bytes();
    EXPECT_OK(cublasLtMatmulPreferenceSetAttribute(lt.preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most,
                                                   sizeof(most)));
    cublasLtMatmulHeuristicResult_t best;
    int found = 0;
    EXPECT_OK(lt.Choose(&best, &found));
    EXPECT_EQUAL(found, 1);
    EXPECT(best.workspaceSize > 0 && best.workspaceSize <= most);
    EXPECT_OK(lt.Multiply(a.get(), b.get(), d.get(), &best.algo, workspace.get(), best.workspaceSize));
    EXPECT_OK(cudaDeviceSynchronize());
    for (int column = 0; column < 20; ++column) {
      for (int row = 0; row < 10; ++row) {
        float sum = bias.At(row, 0);
        for (int i = 0; i < 30; ++i) sum += a.At(i, row) * b.At(i, column);
        EXPECT_EQUAL(d.At(row, column), d.Rounded(sum > 0 ? sum : 0));
      }
    }
  }
}

TEST(LtWrongUses, "cublasLt: what does not fit the descriptors or the algorithm is refused") {
  const LtProduct lt(CUDA_R_32F, 8, 8, 8);
  const DeviceArray<float> memory(100);
  cublasLtMatmulHeuristicResult_t best;
  int found = 0;
  const auto multiply = [&](const void* a, size_t workspace_bytes) {
    return lt.Multiply(a, memory.get(), memory.get(), &best.algo, memory.get(), workspace_bytes);
  };
  const uint64_t most = 64;
  EXPECT_OK(cublasLtMatmulPreferenceSetAttribute(lt.preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most,
                                                 sizeof(most)));
  EXPECT_EQUAL(cublasLtMatmulPreferenceSetAttribute(lt.preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, 4),
               CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_OK(lt.Choose(&best, &found));
  EXPECT_EQUAL(multiply(memory.get() + 1, 64), CUBLAS_STATUS_INVALID_VALUE);  // not aligned as asked for
  EXPECT_EQUAL(multiply(memory.get(), 63), CUBLAS_STATUS_INVALID_VALUE);      // workspace too small
  const cublasLtMatmulAlgo_t unset = {};
  EXPECT_EQUAL(lt.Multiply(memory.get(), memory.get(), memory.get(), &unset, nullptr, 0), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_OK(lt.Set(CUBLASLT_MATMUL_DESC_EPILOGUE, uint32_t{CUBLASLT_EPILOGUE_BIAS}));
  EXPECT_OK(lt.Set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, int32_t{CUDA_R_16BF}));
  EXPECT_EQUAL(lt.Choose(&best, &found), CUBLAS_STATUS_NOT_SUPPORTED);  // a bias has the type of d
  EXPECT_EQUAL(found, 0);
  EXPECT_OK(lt.Set(CUBLASLT_MATMUL_DESC_EPILOGUE, uint32_t{CUBLASLT_EPILOGUE_DEFAULT}));
  const uint64_t rows = 9;
  EXPECT_OK(cublasLtMatrixLayoutSetAttribute(lt.b, CUBLASLT_MATRIX_LAYOUT_ROWS, &rows, sizeof(rows)));
  EXPECT_EQUAL(lt.Choose(&best, &found), CUBLAS_STATUS_INVALID_VALUE);
}
