// Which graphs around a batch normalisation have engines. Forward: nothing behind it, ReLU, or addition and ReLU, each
// with or without a mask of what passed. Backward: nothing before it, or a multiplication by the mask.
#include "cuda_emulation/cudnn_graph.h"

namespace residua::cuda_emulation {
namespace {

const Operation* Find(const OperationGraph& graph, cudnnBackendDescriptorType_t type) {
  for (const Operation& operation : graph.operations) {
    if (operation.type() == type) return &operation;
  }
  return nullptr;
}

std::string WhyNotChannels(const TensorInfo& x) {
  const int64_t multiple = x.type == CUDNN_DATA_FLOAT ? 4 : 8;
  if (!IsFloat(x.type)) return "Normalisation has float, half or bfloat16 tensors.";
  if (x.dims[1] % multiple == 0) return "";
  return "Normalisation of this type needs a multiple of " + std::to_string(multiple) + " channels, got " +
         std::to_string(x.dims[1]) + ".";
}

// The one pointwise operation of this mode that reads `uid`, or null.
const Operation* Next(const OperationGraph& graph, int64_t uid, cudnnPointwiseMode_t mode) {
  for (const Operation& operation : graph.operations) {
    if (operation.type() != CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR) continue;
    if (PartsOfPointwise(*operation.descriptor).mode != mode) continue;
    for (const int64_t input : operation.inputs) {
      if (input == uid) return &operation;
    }
  }
  return nullptr;
}

bool IsLeaky(const Operation& relu) {
  const DescriptorPtr parameters = PartsOfPointwise(*relu.descriptor).parameters;
  return parameters->Number(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, 0) != 0 ||
         parameters->Number(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, 0) != 0;
}

// The addend must be a tensor of the image's shape and type.
std::string WhyNotAddition(const OperationGraph& graph, const Operation& addition, const TensorInfo& x) {
  for (const int64_t uid : addition.inputs) {
    const TensorInfo& tensor = graph.at(uid);
    if (tensor.dims != x.dims || (!tensor.is_virtual && tensor.type != x.type)) {
      return "What is added to a normalised image has its shape and type.";
    }
  }
  return graph.at(addition.outputs[0]).is_virtual ? "" : "A sum before ReLU must be virtual.";
}

std::string WhyNotMask(const OperationGraph& graph, const Operation& mask) {
  const TensorInfo& written = graph.at(mask.outputs[0]);
  if (written.type != CUDNN_DATA_BOOLEAN || written.is_virtual) return "The mask must be a boolean tensor in memory.";
  return "";
}

}  // namespace

std::string WhyNotNormForward(const OperationGraph& graph) {
  const Operation& norm = *Find(graph, CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR);
  const Descriptor& descriptor = *norm.descriptor;
  if (descriptor.Get<cudnnBackendNormFwdPhase_t>(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE) != CUDNN_NORM_FWD_TRAINING) {
    return "There is no engine for normalisation with given statistics.";
  }
  const TensorInfo x = TensorAt(descriptor, CUDNN_ATTR_OPERATION_NORM_FWD_XDESC);
  const std::string channels = WhyNotChannels(x);
  if (!channels.empty()) return channels;

  int64_t last = TensorAt(descriptor, CUDNN_ATTR_OPERATION_NORM_FWD_YDESC).uid;
  size_t used = 1;
  if (graph.operations.size() > 1) {
    if (!graph.at(last).is_virtual) return "A normalised image that is used further must be virtual.";
    if (const Operation* addition = Next(graph, last, CUDNN_POINTWISE_ADD)) {
      const std::string why = WhyNotAddition(graph, *addition, x);
      if (!why.empty()) return why;
      last = addition->outputs[0];
      ++used;
    }
    const Operation* relu = Next(graph, last, CUDNN_POINTWISE_RELU_FWD);
    if (relu == nullptr || IsLeaky(*relu)) return "A normalised image can be followed by ReLU, and added to before it.";
    last = relu->outputs[0];
    ++used;
    if (const Operation* mask = Next(graph, last, CUDNN_POINTWISE_CMP_GT)) {
      const std::string why = WhyNotMask(graph, *mask);
      if (!why.empty()) return why;
      ++used;
    }
  }
  if (used != graph.operations.size()) return "An operation cannot be fused with a normalisation.";
  const TensorInfo& result = graph.at(last);
  if (result.is_virtual || result.type != x.type) return "The result must be in memory, of the input's type.";
  return "";
}

std::string WhyNotNormBackward(const OperationGraph& graph) {
  const Operation& norm = *Find(graph, CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR);
  const TensorInfo x = TensorAt(*norm.descriptor, CUDNN_ATTR_OPERATION_NORM_BWD_XDESC);
  const TensorInfo dy = TensorAt(*norm.descriptor, CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC);
  const TensorInfo dx = TensorAt(*norm.descriptor, CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC);
  const std::string channels = WhyNotChannels(x);
  if (!channels.empty()) return channels;
  if (dy.type != x.type || dx.type != x.type) return "x, dy and dx of a normalisation have one type.";
  if (dx.is_virtual) return "dx must be in memory.";
  if (graph.operations.size() == 1) return "";

  const Operation* mask = graph.Writer(dy.uid);
  const bool pointwise = mask != nullptr && mask->type() == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR;
  if (graph.operations.size() != 2 || !pointwise) return "An operation cannot be fused with a normalisation.";
  const PointwiseParts parts = PartsOfPointwise(*mask->descriptor);
  const bool fits = parts.mode == CUDNN_POINTWISE_MUL && InfoOf(*parts.b).type == CUDNN_DATA_BOOLEAN &&
                    InfoOf(*parts.x).type == x.type && InfoOf(*parts.b).dims == x.dims &&
                    InfoOf(*parts.x).dims == x.dims;
  return fits ? "" : "Only dy (as x) times a boolean mask (as b) can come before a normalisation's gradient.";
}

}  // namespace residua::cuda_emulation
