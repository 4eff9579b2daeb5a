// Convolutions that cuDNN has no engine for, by direct summation: right for every shape, slow. Kernels:
// conv2d_fallback.cu
#pragma once
#include "cuda/context.h"
#include "cuda/conv2d_graph.h"

namespace residua::cuda {

// Runs the pass of `spec`, all tensors NHWC: writes y (forward), x (backward data: dx; y is dy) or w (backward weights:
// dw in float32; y is dy).
void LaunchDirectConvolution(cudaStream_t stream, const ConvolutionSpec& spec, void* x, void* w, void* y);

}  // namespace residua::cuda
