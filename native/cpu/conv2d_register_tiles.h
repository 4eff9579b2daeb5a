// Convolutions and gradients of their data with tiles of the result, some pixels by up to 64 channels, in registers.
#pragma once
#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

// Not grouped, channels in whole blocks of 16; forward also an image of a few channels.
bool SuitsRegisterTiles(const ConvGeometry& whole, const ConvGeometry& live, DType dtype, bool forward);

// x, w, [b], [residual] -> y
PlanPtr MakeRegisterTilesForward(const CpuContext& context, const Conv2dParams& params, const ConvGeometry& geometry,
                                 const Descs& inputs, Descs outputs, bool has_bias);
// dy, w -> dx
PlanPtr MakeRegisterTilesBackwardData(const CpuContext& context, const ConvGeometry& geometry, const Descs& inputs,
                                      Descs outputs);

}  // namespace residua::cpu
