// 3x3 convolutions by Winograd's algorithm: 16 multiplications for each tile of 2x2 pixels instead of 36, or 25 for an
// image of 3x3 pixels instead of 81; in float32 also 36 for a tile of 4x4 pixels instead of 144, where that is fewer.
//
// Transformed patches and weights are rounded once more than in a direct convolution. In bfloat16, where that counts,
// the squares of their products add up to 25 / 9 of those of the direct one's: errors are about 2.5 times as large. In
// float32 those of 2x2 tiles are about as large as a direct convolution's, those of 4x4 two to four times as large.
//
// NaN reaches the pixels that a direct convolution brings it to, and with tiles of 4x4 all pixels of tiles whose inner
// 4x4 pixels of the patch hold it. So do infinities, but may become NaN, as products of both signs cancel.
#pragma once
#include "cpu/conv2d_geometry.h"
#include "cpu/winograd_transforms.h"

namespace residua::cpu {

// 3x3, stride 1, not dilated, not grouped, no dead taps (`live` is `whole` without them), at least one block of
// channels on either side; in bfloat16 on a processor with AVX512-BF16, in float32 with AVX-512 or AVX2.
bool SuitsWinograd(const ConvGeometry& whole, const ConvGeometry& live, DType dtype);

// kTiles: all points of some tiles after each other; kPoints: all tiles of a point, which suits many channels.
enum class WinogradOrder { kTiles, kPoints };

// y = conv2d(x, w, [b]), with the sum and ReLU that `params` asks for. x and y are laid out as `x_layout`, `y_layout`
// where these keep a block of channels together, else as nChw8c or nChw16c. `inputs` as of the op. `code` is that of
// this processor, as WinogradInFloat32() gives it.
template <class Element>
PlanPtr MakeWinogradForward(WinogradOrder order, const WinogradCode<Element>& code, const CpuContext& context,
                            const Conv2dParams& params, const ConvGeometry& geometry, const MemoryDesc& x_layout,
                            const MemoryDesc& y_layout, const Descs& inputs, Descs outputs, bool has_bias);

// dx of dy and w, laid out likewise: the convolution of dy with the weights rotated by half a turn.
template <class Element>
PlanPtr MakeWinogradBackwardData(WinogradOrder order, const WinogradCode<Element>& code, const CpuContext& context,
                                 const ConvGeometry& geometry, const MemoryDesc& dx_layout, const MemoryDesc& dy_layout,
                                 const Descs& inputs, Descs outputs);

// x, dy -> dw, [db]. dw is laid out as `dw_layout`.
template <class Element>
PlanPtr MakeWinogradBackwardWeights(const WinogradCode<Element>& code, const CpuContext& context,
                                    const ConvGeometry& geometry, const MemoryDesc& x_layout,
                                    const MemoryDesc& dy_layout, const MemoryDesc& dw_layout, const Descs& inputs,
                                    Descs outputs);

// make(code of this processor), where SuitsWinograd.
template <class Make>
PlanPtr WithWinogradCode(DType dtype, const Make& make) {
  return dtype == DType::kBFloat16 ? make(*WinogradInBFloat16()) : make(*WinogradInFloat32());
}

}  // namespace residua::cpu
