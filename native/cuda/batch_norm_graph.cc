// The cuDNN graphs of batch normalisation in training. cuDNN has an engine for exactly these patterns: "NormAddRelu"
// and "DReluForkDNorm" in its documentation.
#include "cuda/batch_norm_graph.h"

namespace residua::cuda {

BatchNormForwardGraph MakeBatchNormForward(DType dtype, const Shape& image, BatchNormTail tail) {
  const cudnnDataType_t type = CudnnType(dtype);
  BatchNormForwardGraph made;
  Graph& graph = made.graph;
  made.x = graph.Nhwc(type, image);
  made.y = graph.Nhwc(type, image);
  const bool relu = tail != BatchNormTail::kNone;
  // What stays inside the graph is not rounded.
  const Graph::TensorId normalized = relu ? graph.Nhwc(CUDNN_DATA_FLOAT, image, true) : made.y;
  made.norm = graph.BatchNormTraining(made.x, normalized, image[1]);
  if (!relu) return made;

  Graph::TensorId sum = normalized;
  if (tail == BatchNormTail::kAddRelu) {
    made.residual = graph.Nhwc(type, image);
    sum = graph.Nhwc(CUDNN_DATA_FLOAT, image, true);
    graph.Pointwise(CUDNN_POINTWISE_ADD, normalized, made.residual, sum);
  }
  made.mask = graph.Nhwc(CUDNN_DATA_BOOLEAN, image);
  made.zero = graph.HostScalar(CUDNN_DATA_FLOAT);
  graph.Pointwise(CUDNN_POINTWISE_RELU_FWD, sum, made.y);
  graph.Pointwise(CUDNN_POINTWISE_CMP_GT, made.y, made.zero, made.mask);
  return made;
}

BatchNormBackwardGraph MakeBatchNormBackward(DType dtype, const Shape& image, BatchNormTail tail) {
  const cudnnDataType_t type = CudnnType(dtype);
  BatchNormBackwardGraph made;
  Graph& graph = made.graph;
  made.x = graph.Nhwc(type, image);
  made.dy = graph.Nhwc(type, image);
  made.dx = graph.Nhwc(type, image);
  Graph::TensorId gradient = made.dy;
  if (tail != BatchNormTail::kNone) {
    made.mask = graph.Nhwc(CUDNN_DATA_BOOLEAN, image);
    gradient = graph.Nhwc(type, image, tail == BatchNormTail::kRelu);  // nobody else wants it after a ReLU alone
    graph.Pointwise(CUDNN_POINTWISE_MUL, made.dy, made.mask, gradient);
  }
  if (tail == BatchNormTail::kAddRelu) made.dresidual = gradient;
  made.norm = graph.BatchNormBackward(made.x, gradient, made.dx, image[1]);
  return made;
}

// Own kernels need a bit an element. cuDNN's form is not documented: there is room for a byte each, in whole words of
// 16 bytes.
size_t MaskBytes(int64_t count) { return static_cast<size_t>((count + 15) / 16 * 16); }

}  // namespace residua::cuda
