// What follows a product where its library does not do it itself: bias, residual, ReLU, in one pass. Kernels: bias.cu
#pragma once
#include "cuda/context.h"
#include "cuda/layout.h"

namespace residua::cuda {

// y [n, c] or [n, c, h, w] (NHWC) += bias [c], which is of y's type or float32; and `residual` of y's shape, layout and
// type, unless null; then max(y, 0) if `relu`.
void LaunchAddBias(cudaStream_t stream, const TensorDesc& y_desc, void* y, DType bias_type, const void* bias,
                   const void* residual = nullptr, bool relu = false);

}  // namespace residua::cuda
