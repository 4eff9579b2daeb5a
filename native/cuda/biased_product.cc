// A matrix product and the addition of a bias in one launch, by cublasLt. As in matrix_product.cc the transposed
// product is computed, so that the bias belongs to the rows, where cublasLt's epilogue wants it.
#include "cuda/biased_product.h"

#include "cuda/check.h"

namespace residua::cuda {
namespace {

constexpr size_t kMostWorkspace = 4 << 20;

// Describes a matrix as cublasLt sees it: columns of `rows` neighbouring elements.
void DescribeMatrix(cublasLtMatrixLayout_t* layout, DType dtype, int64_t rows, int64_t columns) {
  RESIDUA_CUDA(cublasLtMatrixLayoutCreate(layout, CublasType(dtype), static_cast<uint64_t>(rows),
                                          static_cast<uint64_t>(columns), rows));
}

}  // namespace

std::unique_ptr<BiasedProduct> BiasedProduct::Make(const CudaContext& context, const MatrixProduct& product) {
  std::unique_ptr<BiasedProduct> biased(new BiasedProduct(context, product));
  if (!biased->ChooseAlgorithm(context)) return nullptr;
  return biased;
}

BiasedProduct::BiasedProduct(const CudaContext& context, const MatrixProduct& product) {
  const int64_t m = product.m, n = product.n, k = product.k;
  DescribeMatrix(a_.address(), product.type, product.transposed_a ? m : k, product.transposed_a ? k : m);
  DescribeMatrix(b_.address(), product.type, product.transposed_b ? k : n, product.transposed_b ? n : k);
  DescribeMatrix(c_.address(), product.c_type, n, m);

  RESIDUA_CUDA(cublasLtMatmulDescCreate(desc_.address(), CublasComputeType(context, product.type), CUDA_R_32F));
  cublasLtMatmulDesc_t desc = desc_.get();
  const cublasOperation_t first = product.transposed_b ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasOperation_t second = product.transposed_a ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
  RESIDUA_CUDA(cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof(first)));
  RESIDUA_CUDA(cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof(second)));
  RESIDUA_CUDA(cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof(epilogue)));
}

void BiasedProduct::SetBias(const void* bias) {
  RESIDUA_CUDA(cublasLtMatmulDescSetAttribute(desc_.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof(bias)));
}

bool BiasedProduct::ChooseAlgorithm(const CudaContext& context) {
  Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> preference;
  RESIDUA_CUDA(cublasLtMatmulPreferenceCreate(preference.address()));
  RESIDUA_CUDA(cublasLtMatmulPreferenceSetAttribute(preference.get(), CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                    &kMostWorkspace, sizeof(kMostWorkspace)));
  // The bias is not read yet, but its alignment is looked at: all storages have this one or a better.
  SetBias(reinterpret_cast<const void*>(uintptr_t{256}));
  cublasLtMatmulHeuristicResult_t best = {};
  int found = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(context.cublas_lt, desc_.get(), b_.get(), a_.get(),
                                                               c_.get(), c_.get(), preference.get(), 1, &best, &found);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) return false;
  Check(status, "cublasLtMatmulAlgoGetHeuristic", __FILE__, __LINE__);
  if (found == 0 || best.state != CUBLAS_STATUS_SUCCESS) return false;
  algorithm_ = best.algo;
  workspace_bytes_ = best.workspaceSize;
  return true;
}

void BiasedProduct::Launch(const CudaContext& context, const void* a, const void* b, const void* bias, void* c,
                           void* workspace) {
  const float one = 1, zero = 0;
  SetBias(bias);
  RESIDUA_CUDA(cublasLtMatmul(context.cublas_lt, desc_.get(), &one, b, b_.get(), a, a_.get(), &zero, c, c_.get(), c,
                              c_.get(), &algorithm_, workspace, workspace_bytes_, context.stream));
}

}  // namespace residua::cuda
