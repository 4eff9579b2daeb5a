// The cuDNN graphs of the convolution's three passes.
#include "cuda/conv2d_graph.h"

#include <utility>

namespace residua::cuda {

std::vector<DType> WeightTypes(const ConvolutionSpec& spec) {
  if (spec.pass != ConvolutionPass::kBackwardWeights || spec.dtype == DType::kFloat32) return {spec.dtype};
  return {DType::kFloat32, spec.dtype};
}

Conv2dGraph MakeConv2d(const ConvolutionSpec& spec, DType weights) {
  Conv2dGraph made;
  made.x = made.graph.Nhwc(CudnnType(spec.dtype), spec.x);
  made.w = made.graph.Nhwc(CudnnType(weights), spec.w);
  made.y = made.graph.Nhwc(CudnnType(spec.dtype), spec.y);
  made.graph.Convolution(spec.pass, made.x, made.w, made.y, spec.params);
  return made;
}

Conv2dGraph MakeConv2dWithBias(const ConvolutionSpec& spec, DType bias) {
  Conv2dGraph made;
  Graph& graph = made.graph;
  const cudnnDataType_t type = CudnnType(spec.dtype);
  made.x = graph.Nhwc(type, spec.x);
  made.w = graph.Nhwc(type, spec.w);
  made.bias = graph.PerChannel(CudnnType(bias), spec.w[0]);
  made.y = graph.Nhwc(type, spec.y);
  const auto unrounded = [&] { return graph.Nhwc(CUDNN_DATA_FLOAT, spec.y, true); };

  Graph::TensorId sum = unrounded();
  graph.Convolution(ConvolutionPass::kForward, made.x, made.w, sum, spec.params);
  if (spec.params.has_residual) {  // before the bias: cuDNN has more engines for this order
    made.residual = graph.Nhwc(type, spec.y);
    const Graph::TensorId product = std::exchange(sum, unrounded());
    graph.Pointwise(CUDNN_POINTWISE_ADD, product, made.residual, sum);
  }
  const Graph::TensorId biased = spec.params.relu ? unrounded() : made.y;
  graph.Pointwise(CUDNN_POINTWISE_ADD, sum, made.bias, biased);
  if (spec.params.relu) graph.Pointwise(CUDNN_POINTWISE_RELU_FWD, biased, made.y);
  return made;
}

}  // namespace residua::cuda
