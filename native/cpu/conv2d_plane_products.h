// The gradient of a convolution's weights, where the images have few channels, as sums of outer products over
// positions.
#pragma once
#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

// Up to 4 channels read and whole blocks of 16 written, not grouped, rows of the kernel without gaps, no dead taps,
// float32 or bfloat16, on a processor that has the instructions.
bool SuitsPlaneProducts(const ConvGeometry& whole, const ConvGeometry& live, DType dtype);

// x, dy -> dw, [db]. dw is laid out as `dw_layout`.
PlanPtr MakePlaneProducts(const CpuContext& context, const ConvGeometry& geometry, const MemoryDesc& dw_layout,
                          const Descs& inputs, Descs outputs);

}  // namespace residua::cpu
