// Products of plain (row-major) matrices by cuBLAS.
#pragma once
#include "core/dtype.h"
#include "cuda/context.h"

namespace residua::cuda {

// c [m, n] = a [m, k] times b [k, n]. A transposed operand is stored the other way: a [k, m], b [n, k]. Accumulated in
// float32; where `type` is float32 and the options allow it, multiplied in TF32.
struct MatrixProduct {
  DType type;    // of a and b
  DType c_type;  // the same, or float32
  int64_t m, n, k;
  bool transposed_a = false, transposed_b = false;
};

void LaunchProduct(const CudaContext& context, const MatrixProduct& product, const void* a, const void* b, void* c);

cudaDataType_t CublasType(DType dtype);
cublasComputeType_t CublasComputeType(const CudaContext& context, DType dtype);

}  // namespace residua::cuda
