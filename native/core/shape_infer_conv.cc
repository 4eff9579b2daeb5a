// Shapes of the convolution and its two backward ops. x [n, ci, h, w], w [co, ci / groups, kh, kw], b [co].
#include "core/shape_check.h"
#include "core/shape_infer.h"

namespace residua {

namespace {

void CheckAttributes(const Check& check, const Conv2dParams& p) {
  check.AtLeast("strides", std::min(p.stride_h, p.stride_w), 1);
  check.AtLeast("padding", std::min(p.pad_h, p.pad_w), 0);
  check.AtLeast("dilation", std::min(p.dilation_h, p.dilation_w), 1);
  check.AtLeast("groups", p.groups, 1);
}

// floor((in + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1
int64_t OutputSize(const Check& check, const char* axis, int64_t in, int64_t kernel, int64_t stride, int64_t pad,
                   int64_t dilation) {
  const int64_t padded = in + 2 * pad;
  const int64_t extent = dilation * (kernel - 1) + 1;
  if (extent > padded) {
    check.Fail(ErrorCode::kShape, std::string("a kernel ") + axis,
               "of at most " + std::to_string(padded) + ", the padded input's", std::to_string(extent));
  }
  return (padded - extent) / stride + 1;
}

// The shape of y.
Shape OutputShape(const Check& check, const Conv2dParams& p, const Shape& x, const Shape& w) {
  return {x[0], w[0], OutputSize(check, "height", x[2], w[2], p.stride_h, p.pad_h, p.dilation_h),
          OutputSize(check, "width", x[3], w[3], p.stride_w, p.pad_w, p.dilation_w)};
}

void CheckGroups(const Check& check, const Conv2dParams& p, const char* argument, const TensorDesc& tensor,
                 int64_t channels) {
  if (channels % p.groups != 0) {
    check.FailShape(argument, "with channels that " + std::to_string(p.groups) + " groups divide evenly", tensor);
  }
}

// Of the type of the image, or float32 where the convolution casts them.
void CheckWeightsType(const Check& check, const Conv2dParams& p, const TensorDesc& w, const char* argument,
                      const TensorDesc& image) {
  if (!p.casts_weights) return check.SameType("w", w, argument, image);
  check.Type("w", w, DType::kFloat32);
  check.Type(argument, image, DType::kBFloat16);
  if (p.groups != 1) check.Fail(ErrorCode::kConfig, "groups", "1 with castsWeights", std::to_string(p.groups));
}

}  // namespace

std::vector<TensorDesc> InferConv2d(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<Conv2dParams>(op.params);
  const TensorDesc &x = inputs[0], &w = inputs[1];
  CheckAttributes(check, p);
  check.Image("x", x, 4);
  check.Image("w", w, 4);
  CheckWeightsType(check, p, w, "x", x);
  CheckGroups(check, p, "x", x, x.shape[1]);
  CheckGroups(check, p, "w", w, w.shape[0]);
  if (w.shape[1] != x.shape[1] / p.groups) {
    check.FailShape("w",
                    "of " + std::to_string(x.shape[1] / p.groups) + " input channels (x " + ToString(x.shape) +
                        ", groups " + std::to_string(p.groups) + ")",
                    w);
  }
  if (inputs.size() == 3) {
    if (inputs[2].dtype != DType::kFloat32) check.SameType("b", inputs[2], "x", x);
    check.HasShape("b", inputs[2], {w.shape[0]});
  }
  return {check.Output(x.dtype, OutputShape(check, p, x.shape, w.shape))};
}

std::vector<TensorDesc> InferConv2dFused(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<Conv2dParams>(op.params);
  const TensorDesc y = InferConv2d(op, {inputs[0], inputs[1], inputs[2]})[0];
  if (p.has_residual != (inputs.size() == 4)) {
    check.Fail(ErrorCode::kConfig, "inputs", p.has_residual ? "with a residual" : "without a residual",
               std::to_string(inputs.size()) + " inputs");
  }
  if (p.has_residual) {
    check.SameType("residual", inputs[3], "x", inputs[0]);
    check.HasShape("residual", inputs[3], y.shape);
  }
  return {y};
}

std::vector<TensorDesc> InferConv2dBackwardData(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<Conv2dParams>(op.params);
  const TensorDesc &dy = inputs[0], &w = inputs[1];
  CheckAttributes(check, p);
  check.AtLeast("inputSize", std::min(p.in_h, p.in_w), 1);
  check.Image("dy", dy, 4);
  check.Image("w", w, 4);
  CheckWeightsType(check, p, w, "dy", dy);
  CheckGroups(check, p, "w", w, w.shape[0]);
  const TensorDesc dx = check.Output(dy.dtype, {dy.shape[0], w.shape[1] * p.groups, p.in_h, p.in_w});
  check.HasShape("dy", dy, OutputShape(check, p, dx.shape, w.shape));
  return {dx};
}

std::vector<TensorDesc> InferConv2dBackwardWeights(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<Conv2dParams>(op.params);
  const TensorDesc &x = inputs[0], &dy = inputs[1];
  CheckAttributes(check, p);
  check.AtLeast("kernel", std::min(p.kernel_h, p.kernel_w), 1);
  check.Image("x", x, 4);
  check.Image("dy", dy, 4);
  check.SameType("dy", dy, "x", x);
  CheckGroups(check, p, "x", x, x.shape[1]);
  CheckGroups(check, p, "dy", dy, dy.shape[1]);
  const TensorDesc dw = check.Output(DType::kFloat32, {dy.shape[1], x.shape[1] / p.groups, p.kernel_h, p.kernel_w});
  check.HasShape("dy", dy, OutputShape(check, p, x.shape, dw.shape));
  if (!p.has_bias) return {dw};
  return {dw, check.Output(DType::kFloat32, {dy.shape[1]})};
}

}  // namespace residua
