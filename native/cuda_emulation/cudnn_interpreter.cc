// The order of things while a graph runs, and the small operations.
#include "cuda_emulation/cudnn_interpreter.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cuda_emulation/settings.h"

namespace residua::cuda_emulation {
namespace {

// Keeps 10 bits of fraction, as tensor cores do with floats.
void RoundToTf32(Values* values) {
  for (float& value : values->data) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if (std::isfinite(value)) bits = (bits + 0xfffu + ((bits >> 13) & 1u)) & ~0x1fffu;
    std::memcpy(&value, &bits, sizeof bits);
  }
}

float Combine(cudnnReduceTensorOp_t operation, float a, float b) {
  switch (operation) {
    case CUDNN_REDUCE_TENSOR_MIN:
      return std::min(a, b);
    case CUDNN_REDUCE_TENSOR_MAX:
      return std::max(a, b);
    case CUDNN_REDUCE_TENSOR_AMAX:
      return std::max(a, std::fabs(b));
    default:
      return a + b;
  }
}

float Neutral(cudnnReduceTensorOp_t operation) {
  switch (operation) {
    case CUDNN_REDUCE_TENSOR_MIN:
      return std::numeric_limits<float>::infinity();
    case CUDNN_REDUCE_TENSOR_MAX:
      return -std::numeric_limits<float>::infinity();
    default:
      return 0;
  }
}

}  // namespace

// Inputs are loaded before anything is stored, so that a result may lie where an input lay.
Interpreter::Interpreter(const OperationGraph& graph, const Engine& engine, const std::map<int64_t, void*>& pointers,
                         const std::map<int64_t, Values>& constants)
    : graph_(graph), engine_(engine), pointers_(pointers), values_(constants) {
  for (const Operation& operation : graph.operations) {
    for (const int64_t uid : operation.inputs) {
      const auto pointer = pointers.find(uid);
      if (pointer == pointers.end() || values_.count(uid) != 0 || graph.Writer(uid) != nullptr) continue;
      values_.emplace(uid, Load(graph.at(uid), pointer->second));
    }
  }
}

void Interpreter::Run() {
  for (const Operation& operation : graph_.operations) {
    const Descriptor& descriptor = *operation.descriptor;
    switch (operation.type()) {
      case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
        Point(descriptor);
        break;
      case CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR:
        NormForward(descriptor);
        break;
      case CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR:
        NormBackward(descriptor);
        break;
      case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR:
        ResampleForward(descriptor);
        break;
      case CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR:
        ResampleBackward(descriptor);
        break;
      case CUDNN_BACKEND_OPERATION_GEN_STATS_DESCRIPTOR:
        Statistics(descriptor);
        break;
      case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR:
        Reduce(descriptor);
        break;
      default:
        Convolve(descriptor);
    }
  }
}

const Values& Interpreter::At(const Descriptor& operation, cudnnBackendAttributeName_t port) const {
  return values_.at(TensorAt(operation, port).uid);
}

const Values* Interpreter::OptionalAt(const Descriptor& operation, cudnnBackendAttributeName_t port) const {
  return operation.Has(port) ? &At(operation, port) : nullptr;
}

// What later operations read of a stored tensor is what was stored, rounded to its type.
void Interpreter::Write(const Descriptor& operation, cudnnBackendAttributeName_t port, Values values) {
  const TensorInfo tensor = TensorAt(operation, port);
  if (!tensor.is_virtual) {
    void* memory = pointers_.at(tensor.uid);
    Store(tensor, values, memory);
    if (graph_.Readers(tensor.uid) != 0) values = Load(tensor, memory);
  }
  values_[tensor.uid] = std::move(values);
}

void Interpreter::Convolve(const Descriptor& operation) {
  const ConvolutionParts parts = PartsOfConvolution(operation);
  ConvolutionShape shape;
  shape.window = WindowOfConvolution(*parts.parameters, parts.w);
  shape.flipped = parts.parameters->Get<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) == CUDNN_CONVOLUTION;
  shape.groups = parts.x.dims[1] / parts.w.dims[1];
  const bool round = engine_.tensor_core && AllowsTf32Rounding() && parts.x.type == CUDNN_DATA_FLOAT;
  const auto read = [&](const TensorInfo& tensor) {
    Values values = values_.at(tensor.uid);
    if (round) RoundToTf32(&values);
    return values;
  };

  const TensorInfo result = TensorAt(operation, parts.result);
  Values computed(result.FiveDims());
  if (result.uid == parts.y.uid) {
    ConvolveForward(shape, read(parts.x), read(parts.w), &computed);
  } else if (result.uid == parts.x.uid) {
    ConvolveBackwardData(shape, read(parts.y), read(parts.w), &computed);
  } else {
    ConvolveBackwardFilter(shape, read(parts.x), read(parts.y), &computed);
  }
  if (parts.alpha != 1) {
    for (float& value : computed.data) value *= parts.alpha;
  }
  if (parts.beta != 0) {
    const Values old = Load(result, pointers_.at(result.uid));
    for (size_t i = 0; i < old.data.size(); ++i) computed.data[i] += parts.beta * old.data[i];
  }
  Write(operation, parts.result, std::move(computed));
}

void Interpreter::Point(const Descriptor& operation) {
  const PointwiseParts parts = PartsOfPointwise(operation);
  const bool backward = IsBackward(parts.mode);
  const auto operand = [&](const DescriptorPtr& tensor) {
    return tensor == nullptr ? nullptr : &values_.at(InfoOf(*tensor).uid);
  };
  Values y(InfoOf(*parts.y).FiveDims());
  ApplyPointwise(parts, *operand(parts.x), operand(parts.b), operand(parts.t), &y);
  Write(operation, backward ? CUDNN_ATTR_OPERATION_POINTWISE_DXDESC : CUDNN_ATTR_OPERATION_POINTWISE_YDESC,
        std::move(y));
}

void Interpreter::Statistics(const Descriptor& operation) {
  const Values& x = At(operation, CUDNN_ATTR_OPERATION_GENSTATS_XDESC);
  Values sum({1, x.c(), 1, 1, 1}), squares({1, x.c(), 1, 1, 1});
  const auto sums = SumPerChannel(x, [&](size_t i, size_t) { return static_cast<double>(x.data[i]); });
  const auto square_sums =
      SumPerChannel(x, [&](size_t i, size_t) { return static_cast<double>(x.data[i]) * x.data[i]; });
  for (size_t c = 0; c < sums.size(); ++c) {
    sum.data[c] = static_cast<float>(sums[c]);
    squares.data[c] = static_cast<float>(square_sums[c]);
  }
  Write(operation, CUDNN_ATTR_OPERATION_GENSTATS_SUMDESC, std::move(sum));
  Write(operation, CUDNN_ATTR_OPERATION_GENSTATS_SQSUMDESC, std::move(squares));
}

void Interpreter::Reduce(const Descriptor& operation) {
  const auto reduce = operation.Reference(CUDNN_ATTR_OPERATION_REDUCTION_DESC)
                          ->Get<cudnnReduceTensorOp_t>(CUDNN_ATTR_REDUCTION_OPERATOR);
  const Values& x = At(operation, CUDNN_ATTR_OPERATION_REDUCTION_XDESC);
  Values y(TensorAt(operation, CUDNN_ATTR_OPERATION_REDUCTION_YDESC).FiveDims());
  std::fill(y.data.begin(), y.data.end(), Neutral(reduce));
  // Order of elements: n, d, h, w, c.
  static constexpr int kOrder[5] = {0, 2, 3, 4, 1};
  for (size_t i = 0; i < x.data.size(); ++i) {
    int64_t rest = static_cast<int64_t>(i), index[5];
    for (int axis = 4; axis >= 0; --axis) {
      index[axis] = rest % x.dims[static_cast<size_t>(kOrder[axis])];
      rest /= x.dims[static_cast<size_t>(kOrder[axis])];
    }
    int64_t at = 0;
    for (int axis = 0; axis < 5; ++axis) {
      const int64_t size = y.dims[static_cast<size_t>(kOrder[axis])];
      at = at * size + (size == 1 ? 0 : index[axis]);
    }
    float& sum = y.data[static_cast<size_t>(at)];
    sum = Combine(reduce, sum, x.data[i]);
  }
  Write(operation, CUDNN_ATTR_OPERATION_REDUCTION_YDESC, std::move(y));
}

}  // namespace residua::cuda_emulation
