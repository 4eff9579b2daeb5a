// Convolution of tiny images as one matrix product.
#pragma once
#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

// Whether the dense matrix between all pixels of x and all of y costs no more multiplications than the kernel's taps,
// and is small enough to be made anew on each run.
bool SuitsMatrix(const ConvGeometry& geometry, DType dtype);

// y = conv2d(x, w, [b]) with `attributes`' sum and ReLU, on `live`, which is `whole` without dead taps. x and y are
// laid out as `x_layout`, `y_layout`, or plain where these do not keep images together. `inputs` as of the op.
PlanPtr MakeMatrixForward(const CpuContext& context, const Conv2dParams& params, const ConvGeometry& whole,
                          const ConvGeometry& live, const MemoryDesc& x_layout, const MemoryDesc& y_layout,
                          const Descs& inputs, Descs outputs, bool has_bias);

// dx of dy and w, laid out likewise.
PlanPtr MakeMatrixBackwardData(const CpuContext& context, const ConvGeometry& whole, const ConvGeometry& live,
                               const MemoryDesc& dx_layout, const MemoryDesc& dy_layout, const Descs& inputs,
                               Descs outputs);

}  // namespace residua::cpu
