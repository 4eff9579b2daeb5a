// Shapes of pooling: x [n, c, h, w] -> y [n, c, oh, ow], rounded down.
#include "core/shape_check.h"
#include "core/shape_infer.h"

namespace residua {

namespace {

void CheckAttributes(const Check& check, const Pool2dParams& p) {
  check.AtLeast("poolSize", std::min(p.pool_h, p.pool_w), 1);
  check.AtLeast("strides", std::min(p.stride_h, p.stride_w), 1);
  check.AtLeast("padding", std::min(p.pad_h, p.pad_w), 0);
  // So that every window has an element of the input.
  if (p.pad_h >= p.pool_h || p.pad_w >= p.pool_w) {
    check.Fail(ErrorCode::kConfig, "padding", "to be smaller than poolSize " + ToString({p.pool_h, p.pool_w}),
               ToString({p.pad_h, p.pad_w}));
  }
}

int64_t OutputSize(const Check& check, const char* axis, int64_t in, int64_t pool, int64_t stride, int64_t pad) {
  const int64_t padded = in + 2 * pad;
  if (pool > padded) {
    check.Fail(ErrorCode::kShape, std::string("a poolSize ") + axis,
               "of at most " + std::to_string(padded) + ", the padded input's", std::to_string(pool));
  }
  return (padded - pool) / stride + 1;
}

Shape OutputShape(const Check& check, const Pool2dParams& p, const Shape& x) {
  return {x[0], x[1], OutputSize(check, "height", x[2], p.pool_h, p.stride_h, p.pad_h),
          OutputSize(check, "width", x[3], p.pool_w, p.stride_w, p.pad_w)};
}

Shape Forward(const Check& check, const Pool2dParams& p, const TensorDesc& x) {
  CheckAttributes(check, p);
  check.Image("x", x, 4);
  return OutputShape(check, p, x.shape);
}

TensorDesc Backward(const Check& check, const Pool2dParams& p, const TensorDesc& dy) {
  CheckAttributes(check, p);
  check.AtLeast("inputSize", std::min(p.in_h, p.in_w), 1);
  check.Image("dy", dy, 4);
  const TensorDesc dx = check.Output(dy.dtype, {dy.shape[0], dy.shape[1], p.in_h, p.in_w});
  check.HasShape("dy", dy, OutputShape(check, p, dx.shape));
  return dx;
}

}  // namespace

std::vector<TensorDesc> InferMaxPool2d(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const Shape y = Forward(check, std::get<Pool2dParams>(op.params), inputs[0]);
  return {check.Output(inputs[0].dtype, y), check.Output(DType::kUInt8, y)};
}

std::vector<TensorDesc> InferMaxPool2dBackward(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const TensorDesc dx = Backward(check, std::get<Pool2dParams>(op.params), inputs[0]);
  check.Type("argmax", inputs[1], DType::kUInt8);
  check.HasShape("argmax", inputs[1], inputs[0].shape);
  return {dx};
}

std::vector<TensorDesc> InferAvgPool2d(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  return {check.Output(inputs[0].dtype, Forward(check, std::get<Pool2dParams>(op.params), inputs[0]))};
}

std::vector<TensorDesc> InferAvgPool2dBackward(const Op& op, const std::vector<TensorDesc>& inputs) {
  return {Backward(Check(op), std::get<Pool2dParams>(op.params), inputs[0])};
}

}  // namespace residua
