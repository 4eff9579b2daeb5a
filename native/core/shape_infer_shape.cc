// Shapes of the ops that change shape, type or size: reshape, broadcast, cast, copy, assign, resize, gather.
#include <limits>

#include "core/shape_check.h"
#include "core/shape_infer.h"

namespace residua {

namespace {

Shape TargetShape(const Check& check, const ShapeParams& p) {
  if (p.ndim < 0 || p.ndim > kMaxDims) {
    check.Fail(ErrorCode::kShape, "shape", "of at most " + std::to_string(kMaxDims) + " dimensions",
               std::to_string(p.ndim));
  }
  const Shape shape(p.dims, p.dims + p.ndim);
  for (int64_t dim : shape) {
    if (dim < 0) check.Fail(ErrorCode::kShape, "shape", "of sizes that are not negative", ToString(shape));
  }
  return shape;
}

}  // namespace

std::vector<TensorDesc> InferReshape(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const TensorDesc& x = inputs[0];
  const TensorDesc y = check.Output(x.dtype, TargetShape(check, std::get<ShapeParams>(op.params)));
  const int64_t count = NumElements(x.shape);
  if (NumElements(y.shape) != count) {
    check.Fail(ErrorCode::kShape, "shape", "of " + std::to_string(count) + " elements (x " + ToString(x.shape) + ")",
               ToString(y.shape));
  }
  return {y};
}

std::vector<TensorDesc> InferBroadcastTo(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const Shape& x = inputs[0].shape;
  const Shape target = TargetShape(check, std::get<ShapeParams>(op.params));
  bool fits = x.size() <= target.size();
  for (size_t i = 0; fits && i < x.size(); ++i) {  // from the last axis
    const int64_t dim = x[x.size() - 1 - i];
    fits = dim == 1 || dim == target[target.size() - 1 - i];
  }
  if (!fits) check.Fail(ErrorCode::kShape, "shape", "to which x " + ToString(x) + " broadcasts", ToString(target));
  return {check.Output(inputs[0].dtype, target)};
}

std::vector<TensorDesc> InferCast(const Op& op, const std::vector<TensorDesc>& inputs) {
  return {Check(op).Output(std::get<CastParams>(op.params).dtype, inputs[0].shape)};
}

std::vector<TensorDesc> InferCopy(const Op& op, const std::vector<TensorDesc>& inputs) {
  return {Check(op).Output(inputs[0].dtype, inputs[0].shape)};
}

std::vector<TensorDesc> InferAssign(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  check.NotEmpty("to", inputs[0]);
  check.HasShape("from", inputs[1], inputs[0].shape);
  return {};
}

std::vector<TensorDesc> InferResizeBilinear(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<ResizeParams>(op.params);
  const TensorDesc& x = inputs[0];
  check.AtLeast("size", std::min(p.height, p.width), 1);
  constexpr float kMax = std::numeric_limits<float>::max();
  check.Between("scale", p.scale, -kMax, kMax);
  if (x.dtype != DType::kUInt8) check.Float("x", x);
  check.Rank("x", x, 4);
  check.NotEmpty("x", x);
  return {check.Output(DType::kFloat32, {x.shape[0], x.shape[1], p.height, p.width})};
}

std::vector<TensorDesc> InferGatherRows(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const TensorDesc &x = inputs[0], &indices = inputs[1];
  check.RankBetween("x", x, 1, kMaxDims);
  check.NotEmpty("x", x);
  check.Type("indices", indices, DType::kInt32);
  check.Rank("indices", indices, 1);
  Shape shape = x.shape;
  shape[0] = indices.shape[0];
  return {check.Output(x.dtype, shape)};
}

}  // namespace residua
