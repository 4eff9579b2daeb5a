// Kernels of pooling for what cuDNN has no engine for. Images are NHWC; each element of a result is gathered by one
// thread, so that the same values give the same bits.
#pragma once
#include "core/op.h"
#include "core/tensor.h"
#include "cuda/context.h"

namespace residua::cuda {

struct Pool2dView {
  DType dtype = DType::kFloat32;
  Pool2dParams params;
  int64_t n = 0, c = 0, h = 0, w = 0;  // x
  int64_t oh = 0, ow = 0;              // y
};
Pool2dView ViewOf(DType dtype, const Pool2dParams& params, const Shape& x, const Shape& y);

// Bytes of a position in the window.
size_t PositionBytes(const Pool2dParams& params);

// Each reads the op's inputs and writes its outputs (core/op.h); argmax is the position of the maximum in its window,
// PositionBytes each. NaN is never a maximum, as on the CPU; the maximum of nothing else is the type's lowest number.
using LaunchPool2d = void (*)(const CudaContext& context, const Pool2dView& view, void* const* inputs,
                              void* const* outputs);
void LaunchMaxPool2d(const CudaContext& context, const Pool2dView& view, void* const* inputs, void* const* outputs);
void LaunchMaxPool2dBackward(const CudaContext& context, const Pool2dView& view, void* const* inputs,
                             void* const* outputs);
void LaunchAvgPool2d(const CudaContext& context, const Pool2dView& view, void* const* inputs, void* const* outputs);
void LaunchAvgPool2dBackward(const CudaContext& context, const Pool2dView& view, void* const* inputs,
                             void* const* outputs);

}  // namespace residua::cuda
