// Which graphs have engines. The rules are what cuDNN 9.24 answers for an H100 (README.md lists them): a graph that the
// real library refuses is refused here.
#include "cuda_emulation/cudnn_graph.h"

namespace residua::cuda_emulation {
namespace {

Support No(const std::string& why, cudnnStatus_t status = CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN) {
  return {Pattern::kNone, why, status};
}

Support YesUnless(const std::string& why, Pattern pattern) {
  return why.empty() ? Support{pattern, "", CUDNN_STATUS_SUCCESS} : No(why);
}

// Channels must be told apart from pixels: 3 dimensions, or NHWC with more than one channel.
bool HasPointwiseLayout(const TensorInfo& tensor) {
  if (tensor.dims.size() == 3) return true;
  return tensor.dims.size() > 3 && tensor.dims[1] > 1 && tensor.strides[1] == 1;
}

std::string WhyNotReduction(const Operation& reduction) {
  const TensorInfo x = TensorAt(*reduction.descriptor, CUDNN_ATTR_OPERATION_REDUCTION_XDESC);
  const TensorInfo y = TensorAt(*reduction.descriptor, CUDNN_ATTR_OPERATION_REDUCTION_YDESC);
  const auto operation = reduction.descriptor->Reference(CUDNN_ATTR_OPERATION_REDUCTION_DESC)
                             ->Get<cudnnReduceTensorOp_t>(CUDNN_ATTR_REDUCTION_OPERATOR);
  if (operation == CUDNN_REDUCE_TENSOR_MUL) return "Reductions by multiplying have no engine.";
  if (y.type != CUDNN_DATA_FLOAT || x.dims.size() != 4) return "Reductions of 4 dimensions give floats.";
  const bool keeps_n = y.dims[0] == x.dims[0] && x.dims[0] > 1, keeps_c = y.dims[1] == x.dims[1];
  const bool keeps_pixels = y.dims[2] == x.dims[2] && y.dims[3] == x.dims[3];
  const bool to_channels = !keeps_n && y.dims[2] == 1 && y.dims[3] == 1;
  const bool over_channels = y.dims[0] == x.dims[0] && keeps_pixels && !keeps_c;
  return to_channels || over_channels ? ""
                                      : "Reductions are over all but the channels, over all, or over the channels.";
}

Support ClassifyPointwise(const OperationGraph& graph) {
  int reductions = 0, pointwise = 0;
  for (const Operation& operation : graph.operations) {
    if (operation.type() == CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR) {
      const std::string why = WhyNotReduction(operation);
      if (!why.empty()) return No(why);
      ++reductions;
      continue;
    }
    if (operation.type() != CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR) {
      return No("Statistics alone have no engine.");
    }
    ++pointwise;
    const TensorInfo& y = graph.at(operation.outputs[0]);
    for (const int64_t uid : operation.inputs) {
      const TensorInfo& tensor = graph.at(uid);
      if (tensor.dims == y.dims && !HasPointwiseLayout(tensor)) {
        return No("Pointwise operations need NHWC tensors of more than one channel.",
                  CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
      }
    }
    if (!HasPointwiseLayout(y)) {
      return No("Pointwise operations need NHWC tensors of more than one channel.", CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
    }
  }
  return YesUnless(reductions > 1 ? "A graph has one reduction." : "", Pattern::kPointwise);
}

struct ResampleParts {
  TensorInfo x, y;
  DescriptorPtr parameters, index;
  bool forward;
};

ResampleParts PartsOfResample(const Descriptor& operation) {
  if (operation.type == CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR) {
    return {TensorAt(operation, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC),
            TensorAt(operation, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC),
            operation.Reference(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC),
            operation.Reference(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC), true};
  }
  return {TensorAt(operation, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC),
          TensorAt(operation, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC),
          operation.Reference(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC),
          operation.Reference(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC), false};
}

std::string WhyNotIndex(const ResampleParts& parts, bool maximum) {
  if (parts.index == nullptr) return "";
  const TensorInfo index = InfoOf(*parts.index);
  if (!maximum) return "Only max pooling has an index tensor.";
  if (!index.channels_last()) return "The index tensor is NHWC.";
  const bool small = index.type == CUDNN_DATA_INT8 || index.type == CUDNN_DATA_UINT8 || index.type == CUDNN_DATA_INT32;
  if (small || (parts.forward && index.type == CUDNN_DATA_INT64)) return "";
  return "The index tensor's type has no engine.";
}

Support ClassifyResample(const OperationGraph& graph, const Operation& operation) {
  const ResampleParts parts = PartsOfResample(*operation.descriptor);
  const auto mode = parts.parameters->Get<cudnnResampleMode_t>(CUDNN_ATTR_RESAMPLE_MODE);
  const auto padding = parts.parameters->GetOr<cudnnPaddingMode_t>(CUDNN_ATTR_RESAMPLE_PADDING_MODE, CUDNN_ZERO_PAD);
  const bool maximum = mode == CUDNN_RESAMPLE_MAXPOOL;
  if (mode == CUDNN_RESAMPLE_NEAREST || mode == CUDNN_RESAMPLE_BILINEAR) return No("Only pooling has engines.");
  if (!IsFloat(parts.x.type) || !IsFloat(parts.y.type)) return No("Pooling has float, half or bfloat16 tensors.");
  if (padding != (maximum ? CUDNN_NEG_INF_PAD : CUDNN_ZERO_PAD)) {
    return No("Max pooling needs CUDNN_NEG_INF_PAD, average pooling CUDNN_ZERO_PAD.",
              CUDNN_STATUS_NOT_SUPPORTED_PADDING);
  }
  const std::string index = WhyNotIndex(parts, maximum);
  if (!index.empty()) return No(index);
  const bool nhwc = parts.x.channels_last() && parts.y.channels_last();
  for (const Operation& other : graph.operations) {
    if (&other == &operation) continue;
    if (other.type() != CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR || !nhwc || !parts.forward) {
      return No("Only pointwise operations on an NHWC result can follow pooling.");
    }
  }
  if (!nhwc) {
    return YesUnless(parts.index != nullptr ? "NCHW pooling has no index tensor." : "", Pattern::kResampleNchw);
  }
  if (!parts.forward && maximum && parts.index == nullptr) return No("NHWC max pooling going back needs its index.");
  const bool indexed = !parts.forward || parts.index != nullptr;
  return YesUnless("", indexed ? Pattern::kResampleIndexed : Pattern::kResample);
}

}  // namespace

Support Classify(const OperationGraph& graph) {
  for (const Operation& operation : graph.operations) {
    bool fused = false;
    switch (operation.type()) {
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR: {
        const std::string why = WhyNotConvolution(graph, &fused);
        return YesUnless(why, fused ? Pattern::kConvolutionFusion : Pattern::kConvolution);
      }
      case CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR:
        return YesUnless(WhyNotNormForward(graph), Pattern::kNormForward);
      case CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR:
        return YesUnless(WhyNotNormBackward(graph), Pattern::kNormBackward);
      case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR:
      case CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR:
        return ClassifyResample(graph, operation);
      default:
        break;
    }
  }
  return ClassifyPointwise(graph);
}

}  // namespace residua::cuda_emulation
