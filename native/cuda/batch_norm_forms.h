// How the ops of batch normalisation lay out what they read and write, and what the forward pass keeps for the backward
// pass.
#pragma once
#include "cuda/batch_norm_graph.h"
#include "cuda/cuda_plan.h"

namespace residua::cuda {

// x, y and their gradients: NHWC where they have four axes, else plain.
TensorDesc ImageForm(const TensorDesc& x);

// x as an image [n, c, h, w] in NHWC for cuDNN; empty where it cannot be one, and where a channel has a single value:
// cuDNN would divide by 0 for its unbiased variance.
Shape CudnnImage(const TensorDesc& x);

// The output `variance` of a forward pass in training: float32 [c], 1 / sqrt(variance + epsilon), as cuDNN keeps it.
void SetInverseStdForm(TensorDesc* variance);
// The output `mask`: bit i % 8 of byte i / 8 tells whether element i of y, as it lies in memory, passed the ReLU.
void SetMaskForm(TensorDesc* mask);

// Throw Error(kNative) unless the inputs of a backward pass have these forms.
void CheckInverseStdForm(const TensorDesc& variance);
void CheckMaskForm(const TensorDesc& mask);

}  // namespace residua::cuda
