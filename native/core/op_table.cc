// The table of ops, and the keys of their plans.
#include "core/op_table.h"

#include <cstring>
#include <string_view>
#include <unordered_map>

#include "core/shape_infer.h"

namespace residua {

namespace {

constexpr size_t kOpCount = static_cast<size_t>(OpKind::kCount);

// In the order of OpKind.
constexpr OpInfo kTable[kOpCount] = {
    {OpKind::kConv2d, "conv2d", 2, 3, InferConv2d},
    {OpKind::kConv2dBackwardData, "conv2dBackwardData", 2, 2, InferConv2dBackwardData},
    {OpKind::kConv2dBackwardWeights, "conv2dBackwardWeights", 2, 2, InferConv2dBackwardWeights},
    {OpKind::kBatchNorm, "batchNorm", 5, 5, InferBatchNorm},
    {OpKind::kBatchNormBackward, "batchNormBackward", 6, 7, InferBatchNormBackward},
    {OpKind::kBatchNormAddRelu, "batchNormAddRelu", 6, 6, InferBatchNormAddRelu},
    {OpKind::kBatchNormAddReluBackward, "batchNormAddReluBackward", 7, 8, InferBatchNormAddReluBackward},
    {OpKind::kRelu, "relu", 1, 1, InferRelu},
    {OpKind::kReluBackward, "reluBackward", 2, 2, InferReluBackward},
    {OpKind::kAddRelu, "addRelu", 2, 2, InferAddRelu},
    {OpKind::kMaxPool2d, "maxPool2d", 1, 1, InferMaxPool2d},
    {OpKind::kMaxPool2dBackward, "maxPool2dBackward", 2, 2, InferMaxPool2dBackward},
    {OpKind::kAvgPool2d, "avgPool2d", 1, 1, InferAvgPool2d},
    {OpKind::kAvgPool2dBackward, "avgPool2dBackward", 1, 1, InferAvgPool2dBackward},
    {OpKind::kDense, "dense", 2, 3, InferDense},
    {OpKind::kDenseBackwardData, "denseBackwardData", 2, 2, InferDenseBackwardData},
    {OpKind::kDenseBackwardWeights, "denseBackwardWeights", 2, 2, InferDenseBackwardWeights},
    {OpKind::kAdd, "add", 2, 2, InferArithmetic},
    {OpKind::kSub, "sub", 2, 2, InferArithmetic},
    {OpKind::kMul, "mul", 2, 2, InferArithmetic},
    {OpKind::kDiv, "div", 2, 2, InferDivision},
    {OpKind::kEqual, "equal", 2, 2, InferEqual},
    {OpKind::kSum, "sum", 1, 1, InferSum},
    {OpKind::kMean, "mean", 1, 1, InferMean},
    {OpKind::kArgmax, "argmax", 1, 1, InferArgmax},
    {OpKind::kSoftmax, "softmax", 1, 1, InferSoftmax},
    {OpKind::kSoftmaxBackward, "softmaxBackward", 2, 2, InferSoftmaxBackward},
    {OpKind::kLogSoftmax, "logSoftmax", 1, 1, InferSoftmax},
    {OpKind::kLogSoftmaxBackward, "logSoftmaxBackward", 2, 2, InferSoftmaxBackward},
    {OpKind::kSoftmaxCrossEntropy, "softmaxCrossEntropy", 2, 2, InferSoftmaxCrossEntropy},
    {OpKind::kSoftmaxCrossEntropyBackward, "softmaxCrossEntropyBackward", 3, 4, InferSoftmaxCrossEntropyBackward},
    {OpKind::kReshape, "reshape", 1, 1, InferReshape},
    {OpKind::kBroadcastTo, "broadcastTo", 1, 1, InferBroadcastTo},
    {OpKind::kCast, "cast", 1, 1, InferCast},
    {OpKind::kCopy, "copy", 1, 1, InferCopy},
    {OpKind::kAssign, "assign", 2, 2, InferAssign},
    {OpKind::kResizeBilinear, "resizeBilinear", 1, 1, InferResizeBilinear},
    {OpKind::kDropout, "dropout", 2, 2, InferDropout},
    {OpKind::kDropoutBackward, "dropoutBackward", 2, 2, InferDropoutBackward},
    {OpKind::kSgd, "sgd", 3, -1, InferSgd},
    {OpKind::kAdamW, "adamW", 5, -1, InferAdamW},
    {OpKind::kGatherRows, "gatherRows", 2, 2, InferGatherRows},
    {OpKind::kAllFinite, "allFinite", 1, -1, InferAllFinite},
    {OpKind::kConv2dFused, "conv2dFused", 3, 4, InferConv2dFused},
    {OpKind::kFoldBatchNorm, "foldBatchNorm", 5, 6, InferFoldBatchNorm},
    {OpKind::kAddReluBackward, "addReluBackward", 3, 3, InferAddReluBackward},
};

constexpr bool TableIsInOrder() {
  for (size_t i = 0; i < kOpCount; ++i) {
    if (kTable[i].kind != static_cast<OpKind>(i)) return false;
  }
  return true;
}
static_assert(TableIsInOrder(), "kTable must have a row for every OpKind, in its order");

// Keys are the parameters' bytes: there must be no padding among them, for its content is undefined.
static_assert(sizeof(Conv2dParams) == 15 * 4 && sizeof(BatchNormParams) == 4 * 4 && sizeof(Pool2dParams) == 9 * 4 &&
              sizeof(DenseParams) == 4 && sizeof(ReduceParams) == 2 * 4 && sizeof(AxisParams) == 4 &&
              sizeof(CrossEntropyParams) == 4 && sizeof(ShapeParams) == (1 + kMaxDims) * 8 && sizeof(CastParams) == 4 &&
              sizeof(ResizeParams) == 3 * 4 && sizeof(DropoutParams) == 4 && sizeof(SgdParams) == 3 * 4 &&
              sizeof(AdamWParams) == 4);

template <class T>
void AppendBytes(std::string* key, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  key->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendInput(std::string* key, const TensorDesc& input) {
  key->push_back(static_cast<char>(input.dtype));
  key->push_back(static_cast<char>(input.shape.size()));
  for (int64_t dim : input.shape) AppendBytes(key, dim);
  const size_t length_at = key->size();
  AppendBytes(key, uint32_t{0});  // length of the layout's key: 0 is plain
  if (!input.layout) return;
  input.layout->AppendKey(key);
  const auto length = static_cast<uint32_t>(key->size() - length_at - sizeof(uint32_t));
  std::memcpy(&(*key)[length_at], &length, sizeof(length));
}

}  // namespace

const OpInfo& InfoOf(OpKind kind) { return kTable[static_cast<size_t>(kind)]; }

const OpInfo* FindOp(const std::string& name) {
  static const auto* const by_name = [] {
    auto* map = new std::unordered_map<std::string_view, const OpInfo*>();
    for (const OpInfo& info : kTable) map->emplace(info.name, &info);
    return map;
  }();
  const auto found = by_name->find(name);
  return found == by_name->end() ? nullptr : found->second;
}

std::string PlanKey(const Op& op, const std::vector<TensorDesc>& inputs) {
  std::string key;
  key.reserve(64 + 64 * inputs.size());
  AppendBytes(&key, op.kind);
  std::visit(
      [&key](const auto& params) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(params)>, NoParams>) AppendBytes(&key, params);
      },
      op.params);
  for (const TensorDesc& input : inputs) AppendInput(&key, input);
  return key;
}

std::vector<TensorDesc> InferOutputs(const Op& op, const std::vector<TensorDesc>& inputs) {
  const OpInfo& info = InfoOf(op.kind);
  const auto count = static_cast<int>(inputs.size());
  if (count < info.min_inputs || (info.max_inputs >= 0 && count > info.max_inputs)) {
    std::string expected = std::to_string(info.min_inputs);
    if (info.max_inputs < 0)
      expected += " or more";
    else if (info.max_inputs > info.min_inputs)
      expected += " to " + std::to_string(info.max_inputs);
    throw Error(ErrorCode::kConfig,
                std::string(info.name) + " expected " + expected + " inputs, got " + std::to_string(count) + ".",
                {{"op", info.name}, {"argument", "inputs"}, {"expected", expected}, {"found", std::to_string(count)}});
  }
  return info.infer(op, inputs);
}

}  // namespace residua
