// BatchNorm, with a sum and ReLU on request, of images in blocks of channels, by residua's own kernels: the statistics
// of a block are followed at once by what is done with them, while the block is in the cache, and sum and ReLU need no
// pass of their own.
#pragma once
#include "cpu/cpu_plan.h"

namespace residua::cpu {

constexpr char kBlockedBatchNormName[] = "channelBlocks";

// Whether x [n, c, h, w] lies in blocks of as many channels as a vector of this processor has lanes, in a type for
// which there are kernels.
bool SuitsBlockedBatchNorm(const TensorDesc& x);

// Of the ops BatchNorm and BatchNormAddRelu (`has_residual`), where SuitsBlockedBatchNorm(inputs[0]).
PlanPtr MakeBlockedBatchNorm(const CpuContext& context, const BatchNormParams& params, const Descs& inputs,
                             Descs outputs, bool has_residual);
// Of the ops BatchNormBackward and BatchNormAddReluBackward (`has_residual`), likewise.
PlanPtr MakeBlockedBatchNormBackward(const CpuContext& context, const BatchNormParams& params, const Descs& inputs,
                                     Descs outputs, bool has_residual);

}  // namespace residua::cpu
