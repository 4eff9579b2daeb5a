// BatchNorm of one block of channels in some images by vector instructions: what the loops over blocks and images in
// batch_norm_blocks.cc are made of. The code for a kind of vectors is in batch_norm_kernels.h.
#pragma once
#include <cstdint>

#include "cpu/half_types.h"

namespace residua::cpu {

// A block holds as many channels as a vector has lanes: per-channel values are [lanes], masks have a bit a lane at each
// position, in the order of the elements.

// The positions of a block in some images. Steps count elements.
struct NormBox {
  int64_t outer, inner, outer_step, inner_step;
  int64_t ahead;  // to those that come next, which are fetched meanwhile; 0: none
};

// y = (x - mean) * scale + shift [+ residual], [max(., 0)]
template <class Element>
struct NormTask {
  NormBox box;
  const Element* x;
  const Element* residual;  // null: none
  Element* y;               // may be the residual
  uint8_t* mask;            // where the ReLU lets through; null: nobody asks
  bool relu;
  const float *mean, *scale, *shift;
};

// Of d: dy [+ more_dy], as far as `mask` lets it through.
template <class Element>
struct NormGradientTask {
  NormBox box;
  const Element *x, *dy;
  const Element* more_dy;  // null: none
  const uint8_t* mask;     // null: all
  const float* mean;
};

template <class T>
struct BatchNormCode {
  using Element = T;
  int64_t lanes;
  // Means, and sums of the squares of what deviates from them.
  void (*moments)(const NormBox& box, const Element* x, float* mean, float* squares);
  void (*normalise)(const NormTask<Element>& task);
  // Sums over the positions of d and of d * (x - mean). Also writes d, where `d` is not null; it may be dy.
  void (*gradient_sums)(const NormGradientTask<Element>& task, Element* d, float* sum, float* product);
  // dx = d * scale + (x - mean) * of_x + offset; d * scale where `of_x` is null. dx may be dy. There is no more_dy.
  void (*gradient)(const NormGradientTask<Element>& task, const float* scale, const float* of_x, const float* offset,
                   Element* dx);
};

// Null where the compiler or the processor has no such vectors.
const BatchNormCode<float>* BatchNormByAvx512();
const BatchNormCode<float>* BatchNormByAvx2();
const BatchNormCode<BFloat16>* BatchNormInBFloat16();
inline const BatchNormCode<float>* BatchNormInFloat32() {
  const BatchNormCode<float>* code = BatchNormByAvx512();
  return code ? code : BatchNormByAvx2();
}

}  // namespace residua::cpu
