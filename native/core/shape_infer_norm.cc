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

}  // namespace

std::vector<TensorDesc> InferBatchNorm(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<BatchNormParams>(op.params);
  const TensorDesc& x = inputs[0];
  CheckInput(check, p, x);
  CheckPerChannel(check, "gamma", inputs[1], x);
  CheckPerChannel(check, "beta", inputs[2], x);
  CheckPerChannel(check, "runningMean", inputs[3], x);
  CheckPerChannel(check, "runningVar", inputs[4], x);
  const TensorDesc y = check.Output(x.dtype, x.shape);
  if (!p.training) return {y};
  const TensorDesc statistic = check.Output(DType::kFloat32, {x.shape[1]});
  if (!p.relu) return {y, statistic, statistic};
  return {y, statistic, statistic, check.Output(DType::kUInt8, x.shape)};
}

std::vector<TensorDesc> InferBatchNormBackward(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<BatchNormParams>(op.params);
  const TensorDesc &x = inputs[0], &dy = inputs[1];
  CheckInput(check, p, x);
  check.SameType("dy", dy, "x", x);
  check.HasShape("dy", dy, x.shape);
  CheckPerChannel(check, "gamma", inputs[2], x);
  CheckPerChannel(check, "beta", inputs[3], x);
  CheckPerChannel(check, "mean", inputs[4], x);
  CheckPerChannel(check, "variance", inputs[5], x);
  if (p.relu && !p.training) check.Fail(ErrorCode::kConfig, "relu", "to be off outside training", "on");
  const size_t count = p.relu ? 7 : 6;
  if (inputs.size() != count) {
    check.Fail(ErrorCode::kConfig, "inputs", "to be " + std::to_string(count), std::to_string(inputs.size()));
  }
  if (p.relu) {
    check.Type("mask", inputs[6], DType::kUInt8);
    check.HasShape("mask", inputs[6], x.shape);
  }
  const TensorDesc per_channel = check.Output(DType::kFloat32, {x.shape[1]});
  return {check.Output(x.dtype, x.shape), per_channel, per_channel};
}

}  // namespace residua
