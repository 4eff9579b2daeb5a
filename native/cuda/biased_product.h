// A matrix product and the addition of a bias in one launch, by cublasLt.
#pragma once
#include <memory>

#include "cuda/matrix_product.h"
#include "cuda/owned.h"

namespace residua::cuda {

// c [m, n] = a b + bias [n], which is of c's type.
class BiasedProduct {
 public:
  // Null where cublasLt has no algorithm for it.
  static std::unique_ptr<BiasedProduct> Make(const CudaContext& context, const MatrixProduct& product);

  size_t workspace_bytes() const { return workspace_bytes_; }
  void Launch(const CudaContext& context, const void* a, const void* b, const void* bias, void* c, void* workspace);

 private:
  using Matrix = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;

  BiasedProduct(const CudaContext& context, const MatrixProduct& product);
  void SetBias(const void* bias);
  bool ChooseAlgorithm(const CudaContext& context);

  Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> desc_;
  Matrix a_, b_, c_;
  cublasLtMatmulAlgo_t algorithm_ = {};
  size_t workspace_bytes_ = 0;
};

}  // namespace residua::cuda
