// Descriptors and graphs in short form, for the checks of the emulated cuDNN.
#include "cuda_emulation/cudnn_tensor.h"
#include "cuda_emulation/cudnn_test_support.h"

namespace residua::cudnn_test {

namespace emulation = residua::cuda_emulation;

void Fail(const std::string& what) { throw std::runtime_error(what); }

void Require(bool condition, const std::string& what) {
  if (!condition) Fail(what);
}

namespace {

std::string LastError() {
  char text[1024] = "";
  cudnnGetLastErrorString(text, sizeof text);
  return text;
}

}  // namespace

void RequireSuccess(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) Fail(std::string(what) + ": " + cudnnGetErrorString(status) + ", " + LastError());
}

void RequireStatus(cudnnStatus_t status, cudnnStatus_t expected, const std::string& what) {
  const std::string text = LastError();
  if (status != expected) {
    Fail(what + ": expected " + cudnnGetErrorString(expected) + ", got " + cudnnGetErrorString(status) + ", " + text);
  }
  Require(status == CUDNN_STATUS_SUCCESS || !text.empty(), what + ": the error has no text.");
}

void MustCuda(cudaError_t status) {
  if (status != cudaSuccess) Fail(std::string("CUDA: ") + cudaGetErrorString(status));
}

int64_t Descriptor::Integer(cudnnBackendAttributeName_t name) const {
  int64_t count = 0, value = 0;
  MUST(cudnnBackendGetAttribute(handle_, name, CUDNN_TYPE_INT64, 1, &count, &value));
  Require(count == 1, "An integer attribute has one value.");
  return value;
}

std::vector<int> Descriptor::Enumerators(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type) const {
  std::vector<int> values(16);
  int64_t count = 0;
  MUST(cudnnBackendGetAttribute(handle_, name, type, 16, &count, values.data()));
  values.resize(static_cast<size_t>(count));
  return values;
}

Dims NhwcStrides(const Dims& d) {
  if (d.size() != 4) return NchwStrides(d);
  return {d[1] * d[2] * d[3], 1, d[3] * d[1], d[1]};
}

Dims NchwStrides(const Dims& d) {
  Dims strides(d.size(), 1);
  for (size_t i = d.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * d[i + 1];
  return strides;
}

Graph::Tensor Graph::Add(cudnnDataType_t type, const Dims& dims, const TensorOptions& options) {
  const int64_t uid = options.uid != 0 ? options.uid : next_uid_++;
  const int64_t alignment = options.alignment != 0 ? options.alignment : emulation::ElementBytes(type);
  Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor.Set(CUDNN_ATTR_TENSOR_DATA_TYPE, type)
      .Set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims)
      .Set(CUDNN_ATTR_TENSOR_STRIDES, options.strides.empty() ? NhwcStrides(dims) : options.strides)
      .Set(CUDNN_ATTR_TENSOR_UNIQUE_ID, Dims{uid})
      .Set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, Dims{alignment})
      .SetBool(CUDNN_ATTR_TENSOR_IS_VIRTUAL, options.is_virtual)
      .SetBool(CUDNN_ATTR_TENSOR_IS_BY_VALUE, options.by_value)
      .Finalize();
  Keep(std::move(tensor));
  return {uid, kept_.size() - 1};
}

void Graph::Push(Descriptor operation) {
  operation.Finalize();
  operations_.push_back(operation.get());
  Keep(std::move(operation));
}

void Graph::Convolve(Pass pass, Tensor x, Tensor w, Tensor y, const Convolution& o) {
  Descriptor parameters(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  parameters.Set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, Dims{2})
      .Set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
      .Set<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE,
                                   {o.turned ? CUDNN_CONVOLUTION : CUDNN_CROSS_CORRELATION})
      .Set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, o.padding)
      .Set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, o.after.empty() ? o.padding : o.after)
      .Set(CUDNN_ATTR_CONVOLUTION_DILATIONS, o.dilation)
      .Set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, o.strides)
      .Finalize();
  static const cudnnBackendDescriptorType_t kTypes[] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                                                        CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                                                        CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR};
  static const cudnnBackendAttributeName_t kNames[3][6] = {
      {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
      {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
      {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA}};
  const cudnnBackendAttributeName_t* names = kNames[pass];
  Descriptor operation(kTypes[pass]);
  operation.Set(names[0], parameters).Set(names[1], At(x)).Set(names[2], At(w)).Set(names[3], At(y));
  operation.Set(names[4], o.alpha).Set(names[5], o.beta);
  Push(std::move(operation));
}

namespace {

Descriptor PointwiseParameters(cudnnPointwiseMode_t mode, const std::map<cudnnBackendAttributeName_t, float>& values) {
  Descriptor parameters(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  parameters.Set<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, {mode})
      .Set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  for (const auto& [name, value] : values) parameters.Set<double>(name, CUDNN_TYPE_DOUBLE, {value});
  parameters.Finalize();
  return parameters;
}

Descriptor PoolingParameters(const Graph::Pooling& o) {
  const bool maximum = o.mode == CUDNN_RESAMPLE_MAXPOOL;
  const int padding_mode = o.padding_mode >= 0 ? o.padding_mode : maximum ? CUDNN_NEG_INF_PAD : CUDNN_ZERO_PAD;
  Descriptor parameters(CUDNN_BACKEND_RESAMPLE_DESCRIPTOR);
  parameters.Set<cudnnResampleMode_t>(CUDNN_ATTR_RESAMPLE_MODE, CUDNN_TYPE_RESAMPLE_MODE, {o.mode})
      .Set(CUDNN_ATTR_RESAMPLE_COMP_TYPE, CUDNN_DATA_FLOAT)
      .Set(CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS, Dims{2})
      .Set<int>(CUDNN_ATTR_RESAMPLE_PADDING_MODE, CUDNN_TYPE_PADDING_MODE, {padding_mode})
      .Set(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, o.window)
      .Set(CUDNN_ATTR_RESAMPLE_STRIDES, o.strides)
      .Set(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, o.padding)
      .Set(CUDNN_ATTR_RESAMPLE_POST_PADDINGS, o.padding)
      .Finalize();
  return parameters;
}

}  // namespace

void Graph::PointAll(cudnnPointwiseMode_t mode, Tensor x, const Tensor* b, const Tensor* t, Tensor y,
                     const std::map<cudnnBackendAttributeName_t, float>& parameters) {
  Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, PointwiseParameters(mode, parameters))
      .Set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, At(x));
  if (b != nullptr) operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, At(*b));
  if (t != nullptr) operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_TDESC, At(*t));
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, At(y));
  Push(std::move(operation));
}

void Graph::PointBackward(cudnnPointwiseMode_t mode, Tensor x, Tensor dy, Tensor dx,
                          const std::map<cudnnBackendAttributeName_t, float>& parameters) {
  Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, PointwiseParameters(mode, parameters))
      .Set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, At(x))
      .Set(CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, At(dy))
      .Set(CUDNN_ATTR_OPERATION_POINTWISE_DXDESC, At(dx));
  Push(std::move(operation));
}

Graph::Norm Graph::NormForward(Tensor x, Tensor y, int64_t channels, cudnnBackendNormFwdPhase_t phase) {
  const auto per_channel = [&] { return Add(CUDNN_DATA_FLOAT, {1, channels, 1, 1}); };
  const bool training = phase == CUDNN_NORM_FWD_TRAINING;
  Norm n{per_channel(), per_channel(), per_channel(), per_channel(), Scalar(),
         Scalar(),      per_channel(), per_channel(), per_channel(), per_channel()};
  Descriptor operation(CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR);
  operation.Set<cudnnBackendNormMode_t>(CUDNN_ATTR_OPERATION_NORM_FWD_MODE, CUDNN_TYPE_NORM_MODE, {CUDNN_BATCH_NORM})
      .Set<cudnnBackendNormFwdPhase_t>(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE, CUDNN_TYPE_NORM_FWD_PHASE, {phase})
      .Set(CUDNN_ATTR_OPERATION_NORM_FWD_XDESC, At(x))
      .Set(CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC, At(n.scale))
      .Set(CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC, At(n.bias))
      .Set(CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, At(n.mean))
      .Set(CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC, At(n.inverse))
      .Set(CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, At(y));
  if (training) {
    operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC, At(n.epsilon))
        .Set(CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC, At(n.factor))
        .Set(CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC, At(n.running_mean))
        .Set(CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC, At(n.running_variance))
        .Set(CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC, At(n.next_mean))
        .Set(CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC, At(n.next_variance));
  }
  Push(std::move(operation));
  return n;
}

Graph::NormGradient Graph::NormBackward(Tensor x, Tensor dy, Tensor dx, int64_t channels) {
  const auto per_channel = [&] { return Add(CUDNN_DATA_FLOAT, {1, channels, 1, 1}); };
  NormGradient n{per_channel(), per_channel(), per_channel(), per_channel(), per_channel()};
  Descriptor operation(CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR);
  operation.Set<cudnnBackendNormMode_t>(CUDNN_ATTR_OPERATION_NORM_BWD_MODE, CUDNN_TYPE_NORM_MODE, {CUDNN_BATCH_NORM})
      .Set(CUDNN_ATTR_OPERATION_NORM_BWD_XDESC, At(x))
      .Set(CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC, At(dy))
      .Set(CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC, At(dx))
      .Set(CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC, At(n.scale))
      .Set(CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC, At(n.mean))
      .Set(CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC, At(n.inverse))
      .Set(CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC, At(n.dscale))
      .Set(CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC, At(n.dbias));
  Push(std::move(operation));
  return n;
}

void Graph::Resample(const Pooling& pooling, Tensor x, Tensor y, const Tensor* index) {
  Descriptor operation(CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC, PoolingParameters(pooling))
      .Set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC, At(x))
      .Set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC, At(y));
  if (index != nullptr) operation.Set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC, At(*index));
  Push(std::move(operation));
}

void Graph::ResampleBackward(const Pooling& pooling, Tensor dy, Tensor dx, const Tensor* index) {
  Descriptor operation(CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC, PoolingParameters(pooling))
      .Set(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC, At(dy))
      .Set(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC, At(dx));
  if (index != nullptr) operation.Set(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC, At(*index));
  Push(std::move(operation));
}

void Graph::Statistics(Tensor x, Tensor sum, Tensor squares) {
  Descriptor operation(CUDNN_BACKEND_OPERATION_GEN_STATS_DESCRIPTOR);
  operation.Set<int>(CUDNN_ATTR_OPERATION_GENSTATS_MODE, CUDNN_TYPE_GENSTATS_MODE, {CUDNN_GENSTATS_SUM_SQSUM})
      .Set(CUDNN_ATTR_OPERATION_GENSTATS_MATH_PREC, CUDNN_DATA_FLOAT)
      .Set(CUDNN_ATTR_OPERATION_GENSTATS_XDESC, At(x))
      .Set(CUDNN_ATTR_OPERATION_GENSTATS_SUMDESC, At(sum))
      .Set(CUDNN_ATTR_OPERATION_GENSTATS_SQSUMDESC, At(squares));
  Push(std::move(operation));
}

void Graph::Reduce(cudnnReduceTensorOp_t reduce, Tensor x, Tensor y) {
  Descriptor parameters(CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
  parameters.Set<cudnnReduceTensorOp_t>(CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, {reduce})
      .Set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_DATA_FLOAT)
      .Finalize();
  Descriptor operation(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, parameters)
      .Set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, At(x))
      .Set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, At(y));
  Push(std::move(operation));
}

Descriptor Graph::Finish() const {
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.Set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations_).Finalize();
  return graph;
}

}  // namespace residua::cudnn_test
