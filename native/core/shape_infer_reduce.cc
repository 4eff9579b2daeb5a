// Shapes of the ops along axes: sum, mean, argmax, softmax; and of the check of whole tensors for finite values.
#include "core/shape_check.h"
#include "core/shape_infer.h"

namespace residua {

namespace {

// "[0, 2]"
std::string AxesOf(int32_t mask) {
  Shape axes;
  for (int axis = 0; axis < kMaxDims; ++axis) {
    if ((mask >> axis) & 1) axes.push_back(axis);
  }
  return ToString(axes);
}

// Reduced axes are dropped, or kept as 1.
Shape ReducedShape(const Check& check, const ReduceParams& p, const TensorDesc& x) {
  check.NotEmpty("x", x);
  const size_t rank = x.shape.size();
  if (p.axis_mask < 0 || p.axis_mask >> rank != 0) {
    check.Fail(ErrorCode::kShape, "axes", "to be among the " + std::to_string(rank) + " of x " + ToString(x.shape),
               AxesOf(p.axis_mask));
  }
  Shape shape;
  for (size_t axis = 0; axis < rank; ++axis) {
    const bool reduced = (p.axis_mask >> axis) & 1;
    if (!reduced)
      shape.push_back(x.shape[axis]);
    else if (p.keep_dims)
      shape.push_back(1);
  }
  return shape;
}

}  // namespace

std::vector<TensorDesc> InferSum(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const DType dtype = IsFloat(inputs[0].dtype) ? inputs[0].dtype : DType::kInt32;
  return {check.Output(dtype, ReducedShape(check, std::get<ReduceParams>(op.params), inputs[0]))};
}

std::vector<TensorDesc> InferMean(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const DType dtype = IsFloat(inputs[0].dtype) ? inputs[0].dtype : DType::kFloat32;
  return {check.Output(dtype, ReducedShape(check, std::get<ReduceParams>(op.params), inputs[0]))};
}

std::vector<TensorDesc> InferArgmax(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const int32_t axis = std::get<AxisParams>(op.params).axis;
  check.Axis(axis, inputs[0]);
  check.NotEmpty("x", inputs[0]);
  Shape shape = inputs[0].shape;
  shape.erase(shape.begin() + axis);
  return {check.Output(DType::kInt32, shape)};
}

std::vector<TensorDesc> InferSoftmax(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  check.Float("x", inputs[0]);
  check.Axis(std::get<AxisParams>(op.params).axis, inputs[0]);
  check.NotEmpty("x", inputs[0]);
  return {check.Output(inputs[0].dtype, inputs[0].shape)};
}

std::vector<TensorDesc> InferSoftmaxBackward(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  check.Float("y", inputs[0]);
  check.Axis(std::get<AxisParams>(op.params).axis, inputs[0]);
  check.NotEmpty("y", inputs[0]);
  check.SameType("dy", inputs[1], "y", inputs[0]);
  check.HasShape("dy", inputs[1], inputs[0].shape);
  return {check.Output(inputs[0].dtype, inputs[0].shape)};
}

std::vector<TensorDesc> InferAllFinite(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  for (const TensorDesc& x : inputs) check.Float("x", x);
  return {check.Output(DType::kUInt8, {})};
}

}  // namespace residua
