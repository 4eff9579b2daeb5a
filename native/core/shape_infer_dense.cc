// Shapes of the dense layer and its backward ops: x [n, in], w [out, in], b [out], y [n, out].
#include "core/shape_check.h"
#include "core/shape_infer.h"

namespace residua {

std::vector<TensorDesc> InferDense(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const TensorDesc &x = inputs[0], &w = inputs[1];
  check.Image("x", x, 2);
  check.Image("w", w, 2);
  check.SameType("w", w, "x", x);
  if (w.shape[1] != x.shape[1]) {
    check.FailShape("w", "of " + std::to_string(x.shape[1]) + " columns (x " + ToString(x.shape) + ")", w);
  }
  if (inputs.size() == 3) {
    if (inputs[2].dtype != DType::kFloat32) check.SameType("b", inputs[2], "x", x);
    check.HasShape("b", inputs[2], {w.shape[0]});
  }
  return {check.Output(x.dtype, {x.shape[0], w.shape[0]})};
}

std::vector<TensorDesc> InferDenseBackwardData(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const TensorDesc &dy = inputs[0], &w = inputs[1];
  check.Image("dy", dy, 2);
  check.Image("w", w, 2);
  check.SameType("w", w, "dy", dy);
  if (w.shape[0] != dy.shape[1]) {
    check.FailShape("w", "of " + std::to_string(dy.shape[1]) + " rows (dy " + ToString(dy.shape) + ")", w);
  }
  return {check.Output(dy.dtype, {dy.shape[0], w.shape[1]})};
}

std::vector<TensorDesc> InferDenseBackwardWeights(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const TensorDesc &x = inputs[0], &dy = inputs[1];
  check.Image("x", x, 2);
  check.Image("dy", dy, 2);
  check.SameType("dy", dy, "x", x);
  if (dy.shape[0] != x.shape[0]) {
    check.FailShape("dy", "of " + std::to_string(x.shape[0]) + " rows (x " + ToString(x.shape) + ")", dy);
  }
  const TensorDesc dw = check.Output(DType::kFloat32, {dy.shape[1], x.shape[1]});
  if (!std::get<DenseParams>(op.params).has_bias) return {dw};
  return {dw, check.Output(DType::kFloat32, {dy.shape[1]})};
}

}  // namespace residua
