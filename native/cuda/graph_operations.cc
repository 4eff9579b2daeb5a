// Operations of a cuDNN graph: convolutions and pointwise arithmetic.
#include "cuda/graph.h"

namespace residua::cuda {
namespace {

// The three passes differ in the names of the same attributes.
struct ConvolutionNames {
  const char* name;
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
};

const ConvolutionNames& NamesOf(ConvolutionPass pass) {
  static const ConvolutionNames kForward = {"convolution forward",
                                            CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                                            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                                            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                                            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                                            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                                            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                                            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
  static const ConvolutionNames kBackwardData = {"convolution backward data",
                                                 CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                                                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                                                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                                                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                                                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                                                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                                                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
  static const ConvolutionNames kBackwardWeights = {"convolution backward weights",
                                                    CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
  switch (pass) {
    case ConvolutionPass::kForward:
      return kForward;
    case ConvolutionPass::kBackwardData:
      return kBackwardData;
    case ConvolutionPass::kBackwardWeights:
      break;
  }
  return kBackwardWeights;
}

Descriptor ConvolutionDescriptor(const Conv2dParams& params) {
  const int64_t strides[2] = {params.stride_h, params.stride_w};
  const int64_t padding[2] = {params.pad_h, params.pad_w};
  const int64_t dilation[2] = {params.dilation_h, params.dilation_w};
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  Descriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  convolution.Set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64_t{2});
  convolution.Set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  convolution.SetArray(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, &mode, 1);
  convolution.SetArray(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, padding, 2);
  convolution.SetArray(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, padding, 2);
  convolution.SetArray(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, dilation, 2);
  convolution.SetArray(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, strides, 2);
  return convolution;
}

Descriptor PointwiseDescriptor(cudnnPointwiseMode_t mode) {
  Descriptor pointwise(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  pointwise.SetArray(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, &mode, 1);
  pointwise.Set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  if (mode == CUDNN_POINTWISE_RELU_FWD) {  // else NaN becomes 0, and a net that has diverged goes on with a finite loss
    const cudnnNanPropagation_t nan = CUDNN_PROPAGATE_NAN;
    pointwise.SetArray(CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, CUDNN_TYPE_NAN_PROPOGATION, &nan, 1);
  }
  return pointwise;
}

std::string PointwiseKey(cudnnPointwiseMode_t mode) {
  return "pointwise mode " + std::to_string(static_cast<int>(mode)) + ":";
}

}  // namespace

// Groups are in the shapes: w has ci / groups input channels.
void Graph::Convolution(ConvolutionPass pass, TensorId x, TensorId w, TensorId y, const Conv2dParams& params) {
  const ConvolutionNames& names = NamesOf(pass);
  const Descriptor& convolution = Keep(ConvolutionDescriptor(params));
  if (!refusal_.empty()) return;
  Descriptor operation(names.operation);
  operation.Set(names.convolution, convolution);
  operation.Set(names.x, At(x));
  operation.Set(names.w, At(w));
  operation.Set(names.y, At(y));
  operation.Set(names.alpha, 1.0f);
  operation.Set(names.beta, 0.0f);
  const TensorId read = pass == ConvolutionPass::kBackwardData ? y : x;
  convolves_float32_ = convolves_float32_ || tensors_[static_cast<size_t>(read.uid)].type == CUDNN_DATA_FLOAT;

  const std::string key = std::string(names.name) + " strides " + ToString({params.stride_h, params.stride_w}) +
                          " padding " + ToString({params.pad_h, params.pad_w}) + " dilation " +
                          ToString({params.dilation_h, params.dilation_w}) + ":";
  AddOperation(std::move(operation), key, {x, w, y});
}

void Graph::Pointwise(cudnnPointwiseMode_t mode, TensorId x, TensorId y) {
  const Descriptor& pointwise = Keep(PointwiseDescriptor(mode));
  if (!refusal_.empty()) return;
  Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pointwise);
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, At(x));
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, At(y));
  AddOperation(std::move(operation), PointwiseKey(mode), {x, y});
}

void Graph::Pointwise(cudnnPointwiseMode_t mode, TensorId x, TensorId b, TensorId y) {
  const Descriptor& pointwise = Keep(PointwiseDescriptor(mode));
  if (!refusal_.empty()) return;
  Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pointwise);
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, At(x));
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, At(b));
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, At(y));
  AddOperation(std::move(operation), PointwiseKey(mode), {x, b, y});
}

}  // namespace residua::cuda
