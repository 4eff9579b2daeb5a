// Shapes of BatchNorm over axis 1: x [n, c, ...], everything per channel float32 [c].
#include <limits>

#include "core/shape_check.h"
#include "core/shape_infer.h"

namespace residua {

namespace {

void CheckInput(const Check& check, const BatchNormParams& p, const TensorDesc& x) {
  check.Between("epsilon", p.epsilon, 0, std::numeric_limits<float>::max());
  check.Between("momentum", p.momentum, 0, 1);
  check.Float("x", x);
  check.RankBetween("x", x, 2, 5);
  check.NotEmpty("x", x);
}

void CheckPerChannel(const Check& check, const char* argument, const TensorDesc& tensor, const TensorDesc& x) {
  check.Type(argument, tensor, DType::kFloat32);
  if (tensor.shape != Shape{x.shape[1]}) {
    check.FailShape(argument, "of shape [" + std::to_string(x.shape[1]) + "] (x " + ToString(x.shape) + ")", tensor);
  }
}

// gamma, beta and the running statistics, from input `first` on.
void CheckParameters(const Check& check, const std::vector<TensorDesc>& inputs, size_t first, const TensorDesc& x) {
  size_t index = first;
  for (const char* argument : {"gamma", "beta", "runningMean", "runningVar"}) {
    CheckPerChannel(check, argument, inputs[index++], x);
  }
}

std::vector<TensorDesc> ForwardOutputs(const Check& check, const TensorDesc& x, bool training, bool relu) {
  const TensorDesc y = check.Output(x.dtype, x.shape);
  if (!training) return {y};
  const TensorDesc statistic = check.Output(DType::kFloat32, {x.shape[1]});
  if (!relu) return {y, statistic, statistic};
  return {y, statistic, statistic, check.Output(DType::kUInt8, x.shape)};
}

// x, dy, gamma, beta, mean, variance, which every backward pass takes.
void CheckBackward(const Check& check, const BatchNormParams& p, const std::vector<TensorDesc>& inputs) {
  const TensorDesc &x = inputs[0], &dy = inputs[1];
  CheckInput(check, p, x);
  check.SameType("dy", dy, "x", x);
  check.HasShape("dy", dy, x.shape);
  size_t index = 2;
  for (const char* argument : {"gamma", "beta", "mean", "variance"}) {
    CheckPerChannel(check, argument, inputs[index++], x);
  }
}

void CheckMask(const Check& check, const TensorDesc& mask, const TensorDesc& x) {
  check.Type("mask", mask, DType::kUInt8);
  check.HasShape("mask", mask, x.shape);
}

}  // namespace

// w [co, ci, kh, kw], [b], gamma, beta, mean, variance [co] -> weights and bias of the same shapes.
std::vector<TensorDesc> InferFoldBatchNorm(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const TensorDesc& w = inputs[0];
  check.Between("epsilon", std::get<BatchNormParams>(op.params).epsilon, 0, std::numeric_limits<float>::max());
  check.Image("w", w, 4);
  check.Type("w", w, DType::kFloat32);
  for (size_t i = 1; i < inputs.size(); ++i) {
    check.Type("per-channel input", inputs[i], DType::kFloat32);
    check.HasShape("per-channel input", inputs[i], {w.shape[0]});
  }
  return {check.Output(DType::kFloat32, w.shape), check.Output(DType::kFloat32, {w.shape[0]})};
}

std::vector<TensorDesc> InferBatchNorm(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<BatchNormParams>(op.params);
  const TensorDesc& x = inputs[0];
  CheckInput(check, p, x);
  CheckParameters(check, inputs, 1, x);
  return ForwardOutputs(check, x, p.training, p.relu);
}

std::vector<TensorDesc> InferBatchNormAddRelu(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<BatchNormParams>(op.params);
  const TensorDesc &x = inputs[0], &residual = inputs[1];
  CheckInput(check, p, x);
  check.SameType("residual", residual, "x", x);
  check.HasShape("residual", residual, x.shape);
  CheckParameters(check, inputs, 2, x);
  return ForwardOutputs(check, x, p.training, true);
}

std::vector<TensorDesc> InferBatchNormBackward(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<BatchNormParams>(op.params);
  const TensorDesc& x = inputs[0];
  CheckBackward(check, p, inputs);
  if (p.relu && !p.training) check.Fail(ErrorCode::kConfig, "relu", "to be off outside training", "on");
  const size_t count = p.relu ? 7 : 6;
  if (inputs.size() != count) {
    check.Fail(ErrorCode::kConfig, "inputs", "to be " + std::to_string(count), std::to_string(inputs.size()));
  }
  if (p.relu) CheckMask(check, inputs[6], x);
  const TensorDesc per_channel = check.Output(DType::kFloat32, {x.shape[1]});
  return {check.Output(x.dtype, x.shape), per_channel, per_channel};
}

std::vector<TensorDesc> InferBatchNormAddReluBackward(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<BatchNormParams>(op.params);
  const TensorDesc& x = inputs[0];
  CheckBackward(check, p, inputs);
  if (!p.training) check.Fail(ErrorCode::kConfig, "training", "to be on", "off");
  CheckMask(check, inputs[6], x);
  if (inputs.size() > 7) {
    check.SameType("more_dy", inputs[7], "x", x);
    check.HasShape("more_dy", inputs[7], x.shape);
  }
  const TensorDesc image = check.Output(x.dtype, x.shape);
  const TensorDesc per_channel = check.Output(DType::kFloat32, {x.shape[1]});
  return {image, image, per_channel, per_channel};
}

}  // namespace residua
