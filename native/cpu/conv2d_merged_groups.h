// Grouped convolutions with groups merged until they fill vectors.
#pragma once
#include <functional>

#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

// How many groups are merged into one: the fewest after which the channels of a group, read and written, are whole
// vectors of the processor, else all where they are few. 1 where merging is not for this convolution: it is not
// grouped, its groups are whole vectors already, or each reads and writes one channel (depthwise), for which the
// library has kernels.
int64_t GroupsToMerge(const ConvGeometry& geometry);

// Makes the plan of the op for fewer groups, whose weights are [co, ci / params.groups, kh, kw].
using MakeMergedPlan = std::function<PlanPtr(const Conv2dParams& params, const Descs& inputs, const Descs& outputs)>;

// Convolution and gradient of the data, which read the weights as input 1. `merged` groups are one to `make`.
PlanPtr MakeWithMergedWeights(const CpuContext& context, const Conv2dParams& params, int64_t merged,
                              const Descs& inputs, const Descs& outputs, const MakeMergedPlan& make);

// Gradient of the weights, which is output 0, plain.
PlanPtr MakeWithMergedGradient(const CpuContext& context, const Conv2dParams& params, int64_t merged,
                               const Descs& inputs, const Descs& outputs, const MakeMergedPlan& make);

}  // namespace residua::cpu
