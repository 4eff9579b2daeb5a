// Operations of a cuDNN graph: batch normalisation and pooling.
#include "cuda/graph.h"

namespace residua::cuda {
namespace {

constexpr cudnnBackendNormMode_t kBatchNormMode = CUDNN_BATCH_NORM;

Descriptor ResampleDescriptor(cudnnResampleMode_t mode, const Pool2dParams& params) {
  const int64_t window[2] = {params.pool_h, params.pool_w};
  const int64_t strides[2] = {params.stride_h, params.stride_w};
  const int64_t padding[2] = {params.pad_h, params.pad_w};
  const cudnnPaddingMode_t padding_mode = mode == CUDNN_RESAMPLE_MAXPOOL ? CUDNN_NEG_INF_PAD : CUDNN_ZERO_PAD;
  Descriptor resample(CUDNN_BACKEND_RESAMPLE_DESCRIPTOR);
  resample.SetArray(CUDNN_ATTR_RESAMPLE_MODE, CUDNN_TYPE_RESAMPLE_MODE, &mode, 1);
  resample.Set(CUDNN_ATTR_RESAMPLE_COMP_TYPE, CUDNN_DATA_FLOAT);
  resample.Set(CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS, int64_t{2});
  resample.SetArray(CUDNN_ATTR_RESAMPLE_PADDING_MODE, CUDNN_TYPE_PADDING_MODE, &padding_mode, 1);
  resample.SetArray(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, CUDNN_TYPE_INT64, window, 2);
  resample.SetArray(CUDNN_ATTR_RESAMPLE_STRIDES, CUDNN_TYPE_INT64, strides, 2);
  resample.SetArray(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, CUDNN_TYPE_INT64, padding, 2);
  resample.SetArray(CUDNN_ATTR_RESAMPLE_POST_PADDINGS, CUDNN_TYPE_INT64, padding, 2);
  return resample;
}

std::string ResampleKey(const char* what, cudnnResampleMode_t mode, const Pool2dParams& params) {
  return std::string(what) + " mode " + std::to_string(static_cast<int>(mode)) + " window " +
         ToString({params.pool_h, params.pool_w}) + " strides " + ToString({params.stride_h, params.stride_w}) +
         " padding " + ToString({params.pad_h, params.pad_w}) + ":";
}

}  // namespace

Graph::BatchNormTensors Graph::BatchNormTraining(TensorId x, TensorId y, int64_t channels) {
  const auto per_channel = [&] { return PerChannel(CUDNN_DATA_FLOAT, channels); };
  BatchNormTensors t;
  for (TensorId* tensor : {&t.scale, &t.bias, &t.mean, &t.inverse_std, &t.running_mean, &t.running_variance,
                           &t.next_running_mean, &t.next_running_variance}) {
    *tensor = per_channel();
  }
  t.epsilon = HostScalar(CUDNN_DATA_FLOAT);
  t.average_factor = HostScalar(CUDNN_DATA_FLOAT);
  if (!refusal_.empty()) return t;

  const cudnnBackendNormFwdPhase_t phase = CUDNN_NORM_FWD_TRAINING;
  Descriptor operation(CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR);
  operation.SetArray(CUDNN_ATTR_OPERATION_NORM_FWD_MODE, CUDNN_TYPE_NORM_MODE, &kBatchNormMode, 1);
  operation.SetArray(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE, CUDNN_TYPE_NORM_FWD_PHASE, &phase, 1);
  operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_XDESC, At(x));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, At(t.mean));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC, At(t.inverse_std));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC, At(t.scale));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC, At(t.bias));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC, At(t.epsilon));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC, At(t.average_factor));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC, At(t.running_mean));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC, At(t.running_variance));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC, At(t.next_running_mean));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC, At(t.next_running_variance));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, At(y));
  AddOperation(std::move(operation), "batch norm training:",
               {x, y, t.scale, t.bias, t.mean, t.inverse_std, t.running_mean, t.running_variance, t.next_running_mean,
                t.next_running_variance, t.epsilon, t.average_factor});
  return t;
}

Graph::BatchNormGradients Graph::BatchNormBackward(TensorId x, TensorId dy, TensorId dx, int64_t channels) {
  BatchNormGradients t;
  for (TensorId* tensor : {&t.scale, &t.mean, &t.inverse_std, &t.dscale, &t.dbias}) {
    *tensor = PerChannel(CUDNN_DATA_FLOAT, channels);
  }
  if (!refusal_.empty()) return t;
  Descriptor operation(CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR);
  operation.SetArray(CUDNN_ATTR_OPERATION_NORM_BWD_MODE, CUDNN_TYPE_NORM_MODE, &kBatchNormMode, 1);
  operation.Set(CUDNN_ATTR_OPERATION_NORM_BWD_XDESC, At(x));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC, At(t.mean));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC, At(t.inverse_std));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC, At(dy));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC, At(t.scale));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC, At(t.dscale));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC, At(t.dbias));
  operation.Set(CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC, At(dx));
  AddOperation(std::move(operation),
               "batch norm backward:", {x, dy, dx, t.scale, t.mean, t.inverse_std, t.dscale, t.dbias});
  return t;
}

void Graph::Resample(cudnnResampleMode_t mode, TensorId x, TensorId y, const TensorId* index,
                     const Pool2dParams& params) {
  const Descriptor& resample = Keep(ResampleDescriptor(mode, params));
  if (!refusal_.empty()) return;
  Descriptor operation(CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC, resample);
  operation.Set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC, At(x));
  operation.Set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC, At(y));
  std::vector<TensorId> tensors = {x, y};
  if (index != nullptr) {
    operation.Set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC, At(*index));
    tensors.push_back(*index);
  }
  AddOperation(std::move(operation), ResampleKey("resample", mode, params), tensors);
}

void Graph::ResampleBackward(cudnnResampleMode_t mode, TensorId dy, TensorId dx, const TensorId* x, const TensorId* y,
                             const TensorId* index, const Pool2dParams& params) {
  const Descriptor& resample = Keep(ResampleDescriptor(mode, params));
  if (!refusal_.empty()) return;
  Descriptor operation(CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC, resample);
  operation.Set(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC, At(dy));
  operation.Set(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC, At(dx));
  std::vector<TensorId> tensors = {dy, dx};
  std::string key = "resample backward";
  const auto set_optional = [&](const char* name, cudnnBackendAttributeName_t attribute, const TensorId* tensor) {
    if (tensor == nullptr) return;
    operation.Set(attribute, At(*tensor));
    tensors.push_back(*tensor);
    key.append(" with ").append(name);
  };
  set_optional("x", CUDNN_ATTR_OPERATION_RESAMPLE_BWD_XDESC, x);
  set_optional("y", CUDNN_ATTR_OPERATION_RESAMPLE_BWD_YDESC, y);
  set_optional("index", CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC, index);
  AddOperation(std::move(operation), ResampleKey(key.c_str(), mode, params), tensors);
}

}  // namespace residua::cuda
