// Reads the parts of operations from their descriptors.
#include "cuda_emulation/cudnn_operation.h"

namespace residua::cuda_emulation {
namespace {

struct ConvolutionNames {
  cudnnBackendAttributeName_t parameters, x, w, y, alpha, beta, result;
};

ConvolutionNames NamesOf(cudnnBackendDescriptorType_t type) {
  switch (type) {
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      return {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y};
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      return {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX};
    default:
      return {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW};
  }
}

void CopyPair(const std::vector<int64_t>& from, int64_t* to) {
  to[0] = from[0];
  to[1] = from[1];
}

}  // namespace

const std::vector<Port>& PortsOf(cudnnBackendDescriptorType_t operation) {
  static const std::map<cudnnBackendDescriptorType_t, std::vector<Port>> kPorts = {
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, false},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, false},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, true}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, false},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, false},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, true}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, false},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, false},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, true}}},
      {CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_POINTWISE_XDESC, false},
        {CUDNN_ATTR_OPERATION_POINTWISE_BDESC, false},
        {CUDNN_ATTR_OPERATION_POINTWISE_TDESC, false},
        {CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, false},
        {CUDNN_ATTR_OPERATION_POINTWISE_YDESC, true},
        {CUDNN_ATTR_OPERATION_POINTWISE_DXDESC, true}}},
      {CUDNN_BACKEND_OPERATION_GEN_STATS_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_GENSTATS_XDESC, false},
        {CUDNN_ATTR_OPERATION_GENSTATS_SUMDESC, true},
        {CUDNN_ATTR_OPERATION_GENSTATS_SQSUMDESC, true}}},
      {CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_REDUCTION_XDESC, false}, {CUDNN_ATTR_OPERATION_REDUCTION_YDESC, true}}},
      {CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC, false},
        {CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC, true},
        {CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC, true}}},
      {CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC, false},
        {CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC, false},
        {CUDNN_ATTR_OPERATION_RESAMPLE_BWD_XDESC, false},
        {CUDNN_ATTR_OPERATION_RESAMPLE_BWD_YDESC, false},
        {CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC, true}}},
      {CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_NORM_FWD_XDESC, false},
        {CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC, false},
        {CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC, false},
        {CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC, false},
        {CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC, false},
        {CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC, false},
        {CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC, false},
        {CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, true},
        {CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC, true},
        {CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC, true},
        {CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC, true},
        {CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, true}}},
      {CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_NORM_BWD_XDESC, false},
        {CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC, false},
        {CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC, false},
        {CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC, false},
        {CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC, false},
        {CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC, true},
        {CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC, true},
        {CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC, true}}},
  };
  return kPorts.at(operation);
}

bool IsConvolution(cudnnBackendDescriptorType_t type) {
  return type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR ||
         type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR ||
         type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR;
}

ConvolutionParts PartsOfConvolution(const Descriptor& operation) {
  const ConvolutionNames names = NamesOf(operation.type);
  ConvolutionParts parts;
  parts.x = TensorAt(operation, names.x);
  parts.w = TensorAt(operation, names.w);
  parts.y = TensorAt(operation, names.y);
  parts.parameters = operation.Reference(names.parameters);
  parts.alpha = static_cast<float>(operation.Number(names.alpha, 1));
  parts.beta = static_cast<float>(operation.Number(names.beta, 0));
  parts.result = names.result;
  return parts;
}

int64_t Window::Places(int axis, int64_t size) const {
  const int64_t span = dilation[axis] * (kernel[axis] - 1) + 1;
  const int64_t room = size + before[axis] + after[axis] - span;
  return room < 0 ? 0 : room / strides[axis] + 1;
}

Window WindowOfConvolution(const Descriptor& parameters, const TensorInfo& w) {
  Window window;
  CopyPair({w.dims[2], w.dims[3]}, window.kernel);
  CopyPair(parameters.Integers(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES), window.strides);
  CopyPair(parameters.Integers(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS), window.before);
  CopyPair(parameters.Integers(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS), window.after);
  CopyPair(parameters.Integers(CUDNN_ATTR_CONVOLUTION_DILATIONS), window.dilation);
  return window;
}

Window WindowOfResample(const Descriptor& parameters) {
  Window window;
  CopyPair(parameters.Integers(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS), window.kernel);
  CopyPair(parameters.Integers(CUDNN_ATTR_RESAMPLE_STRIDES), window.strides);
  CopyPair(parameters.Integers(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS), window.before);
  CopyPair(parameters.Integers(CUDNN_ATTR_RESAMPLE_POST_PADDINGS), window.after);
  CopyPair({1, 1}, window.dilation);
  return window;
}

PointwiseParts PartsOfPointwise(const Descriptor& operation) {
  PointwiseParts parts;
  parts.parameters = operation.Reference(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
  parts.mode = parts.parameters->Get<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
  const bool backward = IsBackward(parts.mode);
  parts.x = operation.Reference(CUDNN_ATTR_OPERATION_POINTWISE_XDESC);
  parts.b =
      operation.Reference(backward ? CUDNN_ATTR_OPERATION_POINTWISE_DYDESC : CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
  parts.t = operation.Reference(CUDNN_ATTR_OPERATION_POINTWISE_TDESC);
  parts.y =
      operation.Reference(backward ? CUDNN_ATTR_OPERATION_POINTWISE_DXDESC : CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
  parts.alpha1 = static_cast<float>(operation.Number(CUDNN_ATTR_OPERATION_POINTWISE_ALPHA1, 1));
  parts.alpha2 = static_cast<float>(operation.Number(CUDNN_ATTR_OPERATION_POINTWISE_ALPHA2, 1));
  return parts;
}

bool IsBackward(cudnnPointwiseMode_t mode) {
  return mode >= CUDNN_POINTWISE_RELU_BWD && mode <= CUDNN_POINTWISE_GELU_APPROX_TANH_BWD;
}

TensorInfo TensorAt(const Descriptor& operation, cudnnBackendAttributeName_t port) {
  return InfoOf(*operation.Reference(port));
}

}  // namespace residua::cuda_emulation
