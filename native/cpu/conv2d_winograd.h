// 3x3 convolutions in bfloat16 by Winograd's algorithm, in float32 oneDNN's: 16 multiplications for each tile of 2x2
// pixels instead of 36, or 25 for an image of 3x3 pixels instead of 81.
//
// Transformed patches and weights are rounded once more than in a direct convolution, and the squares of their products
// add up to 25 / 9 of those of the direct one's: errors are about 2.5 times as large. NaN reaches the pixels that a
// direct convolution brings it to; so do infinities, but may become NaN, as products of both signs cancel.
#pragma once
#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

// bfloat16, 3x3, stride 1, not dilated, not grouped, no dead taps (`live` is `whole` without them), at least one block
// of 16 channels on either side, on a processor with AVX512-BF16.
bool SuitsBFloat16Winograd(const ConvGeometry& whole, const ConvGeometry& live, DType dtype);

// y = conv2d(x, w, [b]), with the sum and ReLU that `params` asks for. x and y are laid out as `x_layout`, `y_layout`
// where these keep 16 channels together, else as nChw16c. `inputs` as of the op.
PlanPtr MakeWinogradForward(const CpuContext& context, const Conv2dParams& params, const ConvGeometry& geometry,
                            const MemoryDesc& x_layout, const MemoryDesc& y_layout, const Descs& inputs, Descs outputs,
                            bool has_bias);

// dx of dy and w, laid out likewise: the convolution of dy with the weights rotated by half a turn.
PlanPtr MakeWinogradBackwardData(const CpuContext& context, const ConvGeometry& geometry, const MemoryDesc& dx_layout,
                                 const MemoryDesc& dy_layout, const Descs& inputs, Descs outputs);

// x, dy -> dw, [db]. dw is laid out as `dw_layout`.
PlanPtr MakeWinogradBackwardWeights(const CpuContext& context, const ConvGeometry& geometry, const MemoryDesc& x_layout,
                                    const MemoryDesc& dy_layout, const MemoryDesc& dw_layout, const Descs& inputs,
                                    Descs outputs);

}  // namespace residua::cpu
