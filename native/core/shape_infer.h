// The shape functions, one an op, by family: shape_infer_<family>.cc. Rules for all of them: inputs are checked for
// type, rank, size and emptiness; attributes for their range; outputs come with type and logical shape.
#pragma once
#include <vector>

#include "core/op.h"
#include "core/tensor.h"

namespace residua {

// Checks the number of inputs, then what the op's own function checks.
std::vector<TensorDesc> InferOutputs(const Op& op, const std::vector<TensorDesc>& inputs);

// clang-format off
#define RESIDUA_INFER_FUNCTIONS(V)                                                                                 \
  V(Conv2d) V(Conv2dBackwardData) V(Conv2dBackwardWeights) V(BatchNorm) V(BatchNormBackward)                       \
  V(BatchNormAddRelu) V(BatchNormAddReluBackward) V(MaxPool2d)                                                     \
  V(MaxPool2dBackward) V(AvgPool2d) V(AvgPool2dBackward) V(Dense) V(DenseBackwardData) V(DenseBackwardWeights)     \
  V(Relu) V(ReluBackward) V(AddRelu) V(Arithmetic) V(Division) V(Equal) V(Sum) V(Mean) V(Argmax) V(Softmax)        \
  V(SoftmaxBackward) V(SoftmaxCrossEntropy) V(SoftmaxCrossEntropyBackward) V(Reshape) V(BroadcastTo) V(Cast)       \
  V(Copy) V(Assign) V(ResizeBilinear) V(Dropout) V(DropoutBackward) V(Sgd) V(AdamW)                                         \
  V(GatherRows) V(AllFinite) V(Conv2dFused) V(FoldBatchNorm) V(AddReluBackward)
// clang-format on

#define RESIDUA_DECLARE_INFER(Name) \
  std::vector<TensorDesc> Infer##Name(const Op& op, const std::vector<TensorDesc>& inputs);
RESIDUA_INFER_FUNCTIONS(RESIDUA_DECLARE_INFER)
#undef RESIDUA_DECLARE_INFER

}  // namespace residua
