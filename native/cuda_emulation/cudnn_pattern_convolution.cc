// Which graphs around a convolution have engines: it alone, or with pointwise operations before and after it, and
// statistics of its result.
#include "cuda_emulation/cudnn_graph.h"

namespace residua::cuda_emulation {
namespace {

bool IsPass(const Operation& operation, cudnnBackendDescriptorType_t type) { return operation.type() == type; }

std::string WhyNotTypes(const OperationGraph& graph, const ConvolutionParts& parts) {
  for (const TensorInfo* tensor : {&parts.x, &parts.w, &parts.y}) {
    if (!IsFloat(tensor->type)) return "Convolutions have float, half or bfloat16 tensors.";
  }
  // Those that are read must agree, unless an operation of the graph makes them.
  const TensorInfo* read[2] = {&parts.x, &parts.w};
  if (parts.result == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX) read[0] = &parts.y;
  if (parts.result == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW) read[1] = &parts.y;
  const bool made = graph.Writer(read[0]->uid) != nullptr || graph.Writer(read[1]->uid) != nullptr;
  if (!made && read[0]->type != read[1]->type) return "The two inputs of a convolution have one type.";
  return "";
}

// Whether each other operation uses the convolution's result, or one made from it.
bool AllFollow(const OperationGraph& graph) {
  for (const Operation& operation : graph.operations) {
    bool follows = IsConvolution(operation.type());
    for (const int64_t uid : operation.inputs) follows = follows || graph.Writer(uid) != nullptr;
    if (!follows) return false;
  }
  return true;
}

}  // namespace

std::string WhyNotConvolution(const OperationGraph& graph, bool* fused) {
  const Operation* convolution = nullptr;
  int statistics = 0;
  for (const Operation& operation : graph.operations) {
    if (IsConvolution(operation.type())) {
      if (convolution != nullptr) return "A graph has one convolution.";
      convolution = &operation;
    } else if (IsPass(operation, CUDNN_BACKEND_OPERATION_GEN_STATS_DESCRIPTOR) ||
               IsPass(operation, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR)) {
      ++statistics;
    } else if (!IsPass(operation, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)) {
      return "An operation cannot be fused with a convolution.";
    }
  }
  *fused = graph.operations.size() > 1;
  const ConvolutionParts parts = PartsOfConvolution(*convolution->descriptor);
  const bool forward = IsPass(*convolution, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  const bool filter = IsPass(*convolution, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR);
  if (statistics > 1 || (statistics == 1 && !forward))
    return "One kind of statistics can follow a forward convolution.";
  if (filter && !AllFollow(graph) && parts.y.type != CUDNN_DATA_HALF) {
    return "Only in half can operations come before a convolution's filter gradient.";
  }
  if (parts.beta != 0 && *fused) return "A fused convolution has beta 0.";
  return WhyNotTypes(graph, parts);
}

}  // namespace residua::cuda_emulation
