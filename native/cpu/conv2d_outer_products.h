// The gradient of a convolution's weights as sums of outer products over positions.
#pragma once
#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

// Not grouped, 8 channels or more, float32 or bfloat16, on a processor that has the instructions.
bool SuitsOuterProducts(const ConvGeometry& geometry, DType dtype);

// x, dy -> dw, [db] on `live`, which is `whole` without dead taps. dw is laid out as `dw_layout`.
PlanPtr MakeOuterProducts(const CpuContext& context, const ConvGeometry& whole, const ConvGeometry& live,
                          const MemoryDesc& dw_layout, const Descs& inputs, Descs outputs);

}  // namespace residua::cpu
