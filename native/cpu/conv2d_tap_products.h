// The gradient of a convolution's weights as products of matrices, tap by tap.
#pragma once
#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

// Not grouped, and of few positions: the products get many and thin on large images.
bool SuitsTapProducts(const ConvGeometry& geometry);

// x, dy -> dw, [db] on `live`, which is `whole` without dead taps. dw is laid out as `dw_layout`.
PlanPtr MakeTapProducts(const CpuContext& context, const ConvGeometry& whole, const ConvGeometry& live,
                        const MemoryDesc& dw_layout, const Descs& inputs, Descs outputs);

}  // namespace residua::cpu
