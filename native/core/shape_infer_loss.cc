// Shapes of the softmax cross-entropy: logits [n, classes], labels int32 [n], losses float32 [n] whatever the logits'
// type.
#include "core/shape_check.h"
#include "core/shape_infer.h"

namespace residua {

namespace {

void CheckInputs(const Check& check, const CrossEntropyParams& p, const TensorDesc& logits, const TensorDesc& labels) {
  check.Between("labelSmoothing", p.label_smoothing, 0, 1);
  check.Image("logits", logits, 2);
  check.Type("labels", labels, DType::kInt32);
  check.HasShape("labels", labels, {logits.shape[0]});
}

}  // namespace

std::vector<TensorDesc> InferSoftmaxCrossEntropy(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  CheckInputs(check, std::get<CrossEntropyParams>(op.params), inputs[0], inputs[1]);
  return {check.Output(DType::kFloat32, {inputs[0].shape[0]})};
}

std::vector<TensorDesc> InferSoftmaxCrossEntropyBackward(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  CheckInputs(check, std::get<CrossEntropyParams>(op.params), inputs[0], inputs[1]);
  check.Type("dlosses", inputs[2], DType::kFloat32);
  check.HasShape("dlosses", inputs[2], {inputs[0].shape[0]});
  if (inputs.size() == 4) {
    check.Type("losses", inputs[3], DType::kFloat32);
    check.HasShape("losses", inputs[3], {inputs[0].shape[0]});
  }
  return {check.Output(inputs[0].dtype, inputs[0].shape)};
}

}  // namespace residua
