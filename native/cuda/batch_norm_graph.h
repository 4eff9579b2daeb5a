// The cuDNN graphs of batch normalisation in training: alone, with a ReLU, with the sum and the ReLU that end a
// residual block; and their backward passes.
#pragma once
#include "cuda/graph.h"

namespace residua::cuda {

// What follows the normalisation in the same pass.
enum class BatchNormTail { kNone, kRelu, kAddRelu };

// y = tail(norm(x)). Running statistics may be updated in place: both names get the same pointer.
struct BatchNormForwardGraph {
  Graph graph;
  Graph::TensorId x, y;
  Graph::TensorId residual;    // kAddRelu
  Graph::TensorId mask, zero;  // with a ReLU; mask: one bit an element, whether y > 0; zero: a host scalar that is 0
  Graph::BatchNormTensors norm;
};
BatchNormForwardGraph MakeBatchNormForward(DType dtype, const Shape& image, BatchNormTail tail);

// dx and the gradients of gamma and beta from dy, which the mask cuts first where there was a ReLU.
struct BatchNormBackwardGraph {
  Graph graph;
  Graph::TensorId x, dy, dx;
  Graph::TensorId mask;       // with a ReLU
  Graph::TensorId dresidual;  // kAddRelu: the cut dy
  Graph::BatchNormGradients norm;
};
BatchNormBackwardGraph MakeBatchNormBackward(DType dtype, const Shape& image, BatchNormTail tail);

// Bytes of a mask over `count` elements.
size_t MaskBytes(int64_t count);

}  // namespace residua::cuda
