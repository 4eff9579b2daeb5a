// The cuDNN graphs of pooling and its gradients.
#include "cuda/pool2d_graph.h"

namespace residua::cuda {
namespace {

constexpr int64_t kMostPositions = 128;  // of an int8

cudnnResampleMode_t AverageOf(const Pool2dParams& params) {
  return params.count_include_pad ? CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING : CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING;
}

}  // namespace

bool IndexFitsByte(const Pool2dParams& params) { return int64_t{params.pool_h} * params.pool_w <= kMostPositions; }

Pool2dGraph MakeMaxPool2d(DType dtype, const Pool2dParams& params, const Shape& x, const Shape& y) {
  Pool2dGraph made;
  made.inputs = {made.graph.Nhwc(CudnnType(dtype), x)};
  made.outputs = {made.graph.Nhwc(CudnnType(dtype), y), made.graph.Nhwc(CUDNN_DATA_INT8, y)};
  made.graph.Resample(CUDNN_RESAMPLE_MAXPOOL, made.inputs[0], made.outputs[0], &made.outputs[1], params);
  return made;
}

Pool2dGraph MakeMaxPool2dBackward(DType dtype, const Pool2dParams& params, const Shape& x, const Shape& y) {
  Pool2dGraph made;
  made.inputs = {made.graph.Nhwc(CudnnType(dtype), y), made.graph.Nhwc(CUDNN_DATA_INT8, y)};
  made.outputs = {made.graph.Nhwc(CudnnType(dtype), x)};
  made.graph.ResampleBackward(CUDNN_RESAMPLE_MAXPOOL, made.inputs[0], made.outputs[0], nullptr, nullptr,
                              &made.inputs[1], params);
  return made;
}

Pool2dGraph MakeAvgPool2d(DType dtype, const Pool2dParams& params, const Shape& x, const Shape& y) {
  Pool2dGraph made;
  made.inputs = {made.graph.Nhwc(CudnnType(dtype), x)};
  made.outputs = {made.graph.Nhwc(CudnnType(dtype), y)};
  made.graph.Resample(AverageOf(params), made.inputs[0], made.outputs[0], nullptr, params);
  return made;
}

Pool2dGraph MakeAvgPool2dBackward(DType dtype, const Pool2dParams& params, const Shape& x, const Shape& y) {
  Pool2dGraph made;
  made.inputs = {made.graph.Nhwc(CudnnType(dtype), y)};
  made.outputs = {made.graph.Nhwc(CudnnType(dtype), x)};
  made.graph.ResampleBackward(AverageOf(params), made.inputs[0], made.outputs[0], nullptr, nullptr, nullptr, params);
  return made;
}

}  // namespace residua::cuda
