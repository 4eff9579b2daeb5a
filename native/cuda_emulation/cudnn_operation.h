// Operations by their parts: one set of names for what the three convolutions, or a pass forward and back, call
// differently.
#pragma once
#include <vector>

#include "cuda_emulation/cudnn_tensor.h"

namespace residua::cuda_emulation {

// Where an operation reads or writes a tensor.
struct Port {
  cudnnBackendAttributeName_t attribute;
  bool is_output;
};

// All ports that the operation's type has; a given operation may leave optional ones out.
const std::vector<Port>& PortsOf(cudnnBackendDescriptorType_t operation);

// x, w, y of a convolution: image, filter, result, or the gradients in their place. `result` is the one that is
// computed.
struct ConvolutionParts {
  TensorInfo x, w, y;
  DescriptorPtr parameters;
  float alpha = 1, beta = 0;
  cudnnBackendAttributeName_t result;
};
bool IsConvolution(cudnnBackendDescriptorType_t type);
ConvolutionParts PartsOfConvolution(const Descriptor& operation);

// Window, strides, padding and dilation over [h, w].
struct Window {
  int64_t kernel[2], strides[2], before[2], after[2], dilation[2];
  // Places where the window fits into `size` pixels along axis 0 (h) or 1 (w).
  int64_t Places(int axis, int64_t size) const;
};
Window WindowOfConvolution(const Descriptor& parameters, const TensorInfo& w);
Window WindowOfResample(const Descriptor& parameters);

// The forward or the backward form of a pointwise operation. Null: not used by the mode.
struct PointwiseParts {
  cudnnPointwiseMode_t mode = CUDNN_POINTWISE_IDENTITY;
  DescriptorPtr parameters, x, b, t, y;  // backward: x, b = dy, y = dx
  float alpha1 = 1, alpha2 = 1;
};
PointwiseParts PartsOfPointwise(const Descriptor& operation);
// Number of inputs of a mode: 1, 2, or 3 (select). 0: not emulated.
int InputsOf(cudnnPointwiseMode_t mode);
bool IsBackward(cudnnPointwiseMode_t mode);

// The tensor at a port, which must be set.
TensorInfo TensorAt(const Descriptor& operation, cudnnBackendAttributeName_t port);

}  // namespace residua::cuda_emulation
