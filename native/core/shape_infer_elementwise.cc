// Shapes of the ops that work element by element; the binary ones broadcast as in NumPy. Empty tensors are allowed.
#include <algorithm>

#include "core/shape_check.h"
#include "core/shape_infer.h"

namespace residua {

namespace {

// Aligned at the last axis; an axis of 1 is repeated.
Shape Broadcast(const Check& check, const TensorDesc& a, const TensorDesc& b) {
  const size_t rank = std::max(a.shape.size(), b.shape.size());
  Shape shape(rank);
  for (size_t i = 0; i < rank; ++i) {  // from the last axis
    const int64_t da = i < a.shape.size() ? a.shape[a.shape.size() - 1 - i] : 1;
    const int64_t db = i < b.shape.size() ? b.shape[b.shape.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1) {
      check.FailShape("b", "of a shape that broadcasts with a " + ToString(a.shape), b);
    }
    shape[rank - 1 - i] = da == 1 ? db : da;
  }
  return shape;
}

std::vector<TensorDesc> SameShapes(const Check& check, const char* first, const char* second,
                                   const std::vector<TensorDesc>& inputs) {
  check.Float(first, inputs[0]);
  check.SameType(second, inputs[1], first, inputs[0]);
  check.HasShape(second, inputs[1], inputs[0].shape);
  return {check.Output(inputs[0].dtype, inputs[0].shape)};
}

}  // namespace

std::vector<TensorDesc> InferRelu(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  check.Float("x", inputs[0]);
  return {check.Output(inputs[0].dtype, inputs[0].shape)};
}

std::vector<TensorDesc> InferReluBackward(const Op& op, const std::vector<TensorDesc>& inputs) {
  return SameShapes(Check(op), "dy", "y", inputs);
}

std::vector<TensorDesc> InferAddRelu(const Op& op, const std::vector<TensorDesc>& inputs) {
  return SameShapes(Check(op), "a", "b", inputs);
}

std::vector<TensorDesc> InferAddReluBackward(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  check.SameType("y", inputs[2], "a", inputs[0]);
  check.HasShape("y", inputs[2], inputs[0].shape);
  return SameShapes(check, "a", "b", inputs);
}

std::vector<TensorDesc> InferArithmetic(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  if (inputs[0].dtype == DType::kUInt8) {
    check.Fail(ErrorCode::kDType, "a", "of a float type or int32 (convert it with astype)", Name(inputs[0].dtype));
  }
  check.SameType("b", inputs[1], "a", inputs[0]);
  return {check.Output(inputs[0].dtype, Broadcast(check, inputs[0], inputs[1]))};
}

std::vector<TensorDesc> InferDivision(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  check.Float("a", inputs[0]);
  check.SameType("b", inputs[1], "a", inputs[0]);
  return {check.Output(inputs[0].dtype, Broadcast(check, inputs[0], inputs[1]))};
}

std::vector<TensorDesc> InferEqual(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  check.SameType("b", inputs[1], "a", inputs[0]);
  return {check.Output(DType::kUInt8, Broadcast(check, inputs[0], inputs[1]))};
}

std::vector<TensorDesc> InferDropout(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  check.Between("rate", std::get<DropoutParams>(op.params).rate, 0, 1);
  check.Float("x", inputs[0]);
  check.Type("state", inputs[1], DType::kInt32);
  check.HasShape("state", inputs[1], {4});
  return {check.Output(inputs[0].dtype, inputs[0].shape), check.Output(DType::kUInt8, inputs[0].shape)};
}

std::vector<TensorDesc> InferDropoutBackward(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  check.Between("rate", std::get<DropoutParams>(op.params).rate, 0, 1);
  check.Float("dy", inputs[0]);
  check.Type("mask", inputs[1], DType::kUInt8);
  check.HasShape("mask", inputs[1], inputs[0].shape);
  return {check.Output(inputs[0].dtype, inputs[0].shape)};
}

}  // namespace residua
