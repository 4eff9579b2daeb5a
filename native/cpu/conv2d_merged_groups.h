// Grouped convolutions with groups merged until they fill vectors.
#pragma once
#include <functional>

#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

// Makes the plan of the op for fewer groups, whose weights are [co, ci / params.groups, kh, kw].
using MakeMergedPlan = std::function<PlanPtr(const Conv2dParams& params, const Descs& inputs, const Descs& outputs)>;

// Convolution and gradient of the data, which read the weights as input 1. Null where merging is not for them.
PlanPtr MakeWithMergedWeights(const CpuContext& context, const Conv2dParams& params, const ConvGeometry& geometry,
                              const Descs& inputs, const Descs& outputs, const MakeMergedPlan& make);

// Gradient of the weights, which is output 0, plain. Null likewise.
PlanPtr MakeWithMergedGradient(const CpuContext& context, const Conv2dParams& params, const ConvGeometry& geometry,
                               const Descs& inputs, const Descs& outputs, const MakeMergedPlan& make);

}  // namespace residua::cpu
