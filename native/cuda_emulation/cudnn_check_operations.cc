// Cross-checks of operations when they are finalised: ranks, shapes, which tensors a mode needs.
#include "cuda_emulation/cudnn_finalize.h"
#include "cuda_emulation/cudnn_operation.h"

namespace residua::cuda_emulation {
namespace {

std::string Text(const std::vector<int64_t>& dims) {
  std::string text;
  for (const int64_t dim : dims) text += (text.empty() ? "[" : ", ") + std::to_string(dim);
  return text + "]";
}

void RequireRank(const TensorInfo& tensor, size_t rank, const char* name) {
  if (tensor.dims.size() == rank) return;
  Refuse(CUDNN_STATUS_BAD_PARAM,
         std::string(name) + " needs " + std::to_string(rank) + " dimensions, got " + Text(tensor.dims) + ".");
}

void RequireDims(const TensorInfo& tensor, const std::vector<int64_t>& dims, const char* name) {
  if (tensor.dims == dims) return;
  Refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
         std::string(name) + " needs the shape " + Text(dims) + ", got " + Text(tensor.dims) + ".");
}

// Whether each dimension is that of `full`, or 1.
bool Broadcasts(const TensorInfo& tensor, const TensorInfo& full) {
  if (tensor.dims.size() != full.dims.size()) return false;
  for (size_t i = 0; i < full.dims.size(); ++i) {
    if (tensor.dims[i] != full.dims[i] && tensor.dims[i] != 1) return false;
  }
  return true;
}

void RequireBroadcast(const DescriptorPtr& operand, const TensorInfo& full, const char* name) {
  const TensorInfo tensor = InfoOf(*operand);
  if (Broadcasts(tensor, full)) return;
  Refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, std::string("The pointwise operation's ") + name + " " +
                                                    Text(tensor.dims) + " does not broadcast to " + Text(full.dims) +
                                                    ".");
}

std::vector<int64_t> PerChannel(const TensorInfo& x) {
  std::vector<int64_t> dims(x.dims.size(), 1);
  dims[1] = x.dims[1];
  return dims;
}

void RequireBatchNorm(cudnnBackendNormMode_t mode) {
  if (mode == CUDNN_BATCH_NORM) return;
  Refuse(CUDNN_STATUS_NOT_SUPPORTED, "The emulation normalises by CUDNN_BATCH_NORM only.");
}

void RequireScalar(const Descriptor& operation, cudnnBackendAttributeName_t port, const char* name) {
  if (!operation.Has(port)) return;
  const TensorInfo tensor = TensorAt(operation, port);
  if (tensor.elements() == 1 && tensor.type == CUDNN_DATA_FLOAT) return;
  Refuse(CUDNN_STATUS_BAD_PARAM, std::string(name) + " must be one float.");
}

}  // namespace

void CheckConvolution(const Descriptor& operation) {
  const ConvolutionParts parts = PartsOfConvolution(operation);
  RequireRank(parts.x, 4, "x");
  RequireRank(parts.w, 4, "w");
  RequireRank(parts.y, 4, "y");
  const std::vector<int64_t>&x = parts.x.dims, &w = parts.w.dims;
  if (x[1] % w[1] != 0) {
    Refuse(CUDNN_STATUS_BAD_PARAM,
           "The channels of x must be a multiple of those of w, got x " + Text(x) + ", w " + Text(w) + ".");
  }
  const int64_t groups = x[1] / w[1];
  if (w[0] % groups != 0) {
    Refuse(CUDNN_STATUS_BAD_PARAM,
           "w needs a multiple of " + std::to_string(groups) + " (the groups) output channels, got " + Text(w) + ".");
  }
  const Window window = WindowOfConvolution(*parts.parameters, parts.w);
  const std::vector<int64_t> expected = {x[0], w[0], window.Places(0, x[2]), window.Places(1, x[3])};
  if (expected[2] < 1 || expected[3] < 1) Refuse(CUDNN_STATUS_BAD_PARAM, "The filter is larger than the padded image.");
  if (parts.y.dims != expected) {
    Refuse(CUDNN_STATUS_BAD_PARAM, "y needs the shape " + Text(expected) + ", got " + Text(parts.y.dims) + ".");
  }
}

void CheckPointwise(const Descriptor& operation) {
  const PointwiseParts parts = PartsOfPointwise(operation);
  const int inputs = InputsOf(parts.mode);
  const std::string mode = "Pointwise mode " + std::to_string(parts.mode);
  if (inputs == 0) Refuse(CUDNN_STATUS_NOT_SUPPORTED, mode + " is not emulated.");
  if (parts.y == nullptr) Refuse(CUDNN_STATUS_BAD_PARAM, mode + " needs an output (y, or dx going back).");
  if ((parts.b != nullptr) != (inputs >= 2) || (parts.t != nullptr) != (inputs == 3)) {
    Refuse(CUDNN_STATUS_BAD_PARAM, mode + " has " + std::to_string(inputs) +
                                       " inputs: x, then b (dy going back), then t. Others must not be set.");
  }
  const TensorInfo y = InfoOf(*parts.y);
  RequireBroadcast(parts.x, y, "x");
  if (parts.b != nullptr) RequireBroadcast(parts.b, y, "b");
  if (parts.t != nullptr) RequireBroadcast(parts.t, y, "t");
}

void CheckReductionOrStatistics(const Descriptor& operation) {
  if (operation.type == CUDNN_BACKEND_OPERATION_GEN_STATS_DESCRIPTOR) {
    const TensorInfo x = TensorAt(operation, CUDNN_ATTR_OPERATION_GENSTATS_XDESC);
    RequireRank(x, 4, "x of the statistics");
    RequireDims(TensorAt(operation, CUDNN_ATTR_OPERATION_GENSTATS_SUMDESC), PerChannel(x), "sum");
    RequireDims(TensorAt(operation, CUDNN_ATTR_OPERATION_GENSTATS_SQSUMDESC), PerChannel(x), "sum of squares");
    return;
  }
  const TensorInfo x = TensorAt(operation, CUDNN_ATTR_OPERATION_REDUCTION_XDESC);
  const TensorInfo y = TensorAt(operation, CUDNN_ATTR_OPERATION_REDUCTION_YDESC);
  if (!Broadcasts(y, x)) {
    Refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
           "A reduction of " + Text(x.dims) + " cannot give " + Text(y.dims) + ".");
  }
}

void CheckResample(const Descriptor& operation) {
  const bool forward = operation.type == CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR;
  const TensorInfo x =
      TensorAt(operation, forward ? CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC : CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC);
  const TensorInfo y =
      TensorAt(operation, forward ? CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC : CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC);
  const DescriptorPtr parameters =
      operation.Reference(forward ? CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC : CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC);
  const DescriptorPtr index = operation.Reference(forward ? CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC
                                                          : CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC);
  RequireRank(x, 4, "x of the resampling");
  RequireRank(y, 4, "y of the resampling");
  const Window window = WindowOfResample(*parameters);
  const std::vector<int64_t> expected = {x.dims[0], x.dims[1], window.Places(0, x.dims[2]),
                                         window.Places(1, x.dims[3])};
  if (y.dims != expected) {
    Refuse(CUDNN_STATUS_BAD_PARAM,
           "The resampling's y needs the shape " + Text(expected) + ", got " + Text(y.dims) + ".");
  }
  if (index != nullptr) RequireDims(InfoOf(*index), expected, "The index tensor");
  if (forward) return;
  const bool has_x = operation.Has(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_XDESC);
  const bool has_y = operation.Has(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_YDESC);
  if (has_x) RequireDims(TensorAt(operation, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_XDESC), x.dims, "The forward input");
  if (has_y) RequireDims(TensorAt(operation, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_YDESC), y.dims, "The forward output");
  const bool maximum = parameters->Get<cudnnResampleMode_t>(CUDNN_ATTR_RESAMPLE_MODE) == CUDNN_RESAMPLE_MAXPOOL;
  if (maximum && index == nullptr && !(has_x && has_y)) {
    Refuse(CUDNN_STATUS_BAD_PARAM, "Max pooling going back needs the index tensor, or the forward x and y.");
  }
}

void CheckNormForward(const Descriptor& operation) {
  RequireBatchNorm(operation.Get<cudnnBackendNormMode_t>(CUDNN_ATTR_OPERATION_NORM_FWD_MODE));
  const bool training =
      operation.Get<cudnnBackendNormFwdPhase_t>(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE) == CUDNN_NORM_FWD_TRAINING;
  const TensorInfo x = TensorAt(operation, CUDNN_ATTR_OPERATION_NORM_FWD_XDESC);
  RequireRank(x, 4, "x of the normalisation");
  RequireDims(TensorAt(operation, CUDNN_ATTR_OPERATION_NORM_FWD_YDESC), x.dims, "y");
  const std::vector<int64_t> per_channel = PerChannel(x);
  int running = 0;
  const auto check = [&](cudnnBackendAttributeName_t port, const char* name) {
    if (operation.Has(port)) RequireDims(TensorAt(operation, port), per_channel, name);
    return operation.Has(port) ? 1 : 0;
  };
  check(CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC, "scale");
  check(CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC, "bias");
  const int saved = check(CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, "mean") +
                    check(CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC, "inverse standard deviation");
  running += check(CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC, "running mean");
  running += check(CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC, "running variance");
  running += check(CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC, "next running mean");
  running += check(CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC, "next running variance");
  RequireScalar(operation, CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC, "epsilon");
  RequireScalar(operation, CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC, "The average factor");
  if (saved == 1) Refuse(CUDNN_STATUS_BAD_PARAM, "mean and inverse standard deviation come together.");
  if (running + (operation.Has(CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC) ? 1 : 0) != (running ? 5 : 0)) {
    Refuse(CUDNN_STATUS_BAD_PARAM, "The four running statistics and the average factor come together.");
  }
  if (!training && running != 0) Refuse(CUDNN_STATUS_BAD_PARAM, "Inference has no running statistics to update.");
  if (training && !operation.Has(CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC)) {
    Refuse(CUDNN_STATUS_BAD_PARAM, "Training needs CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC.");
  }
  if (running != 0 && saved == 0) Refuse(CUDNN_STATUS_BAD_PARAM, "Running statistics need the mean of the batch.");
}

void CheckNormBackward(const Descriptor& operation) {
  RequireBatchNorm(operation.Get<cudnnBackendNormMode_t>(CUDNN_ATTR_OPERATION_NORM_BWD_MODE));
  const TensorInfo x = TensorAt(operation, CUDNN_ATTR_OPERATION_NORM_BWD_XDESC);
  RequireRank(x, 4, "x of the normalisation");
  RequireDims(TensorAt(operation, CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC), x.dims, "dy");
  RequireDims(TensorAt(operation, CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC), x.dims, "dx");
  for (const auto port : {CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC, CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC,
                          CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC, CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC,
                          CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC}) {
    RequireDims(TensorAt(operation, port), PerChannel(x), "A per-channel tensor");
  }
}

}  // namespace residua::cuda_emulation
