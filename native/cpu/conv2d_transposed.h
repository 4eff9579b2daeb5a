// A grouped convolution as the gradient of the data of the transposed one.
#pragma once
#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

// Grouped, stride 1, padded by less than the kernel's extent, with nothing done to the result: no bias, ReLU or sum.
bool SuitsTransposed(const Conv2dParams& params, const ConvGeometry& geometry, bool has_bias);

// x, w -> y, by the algorithm that PrepareConv2dBackwardData chooses.
PlanPtr MakeTransposed(const CpuContext& context, const Conv2dParams& params, const Descs& inputs,
                       const Descs& outputs);

}  // namespace residua::cpu
