// The weights of a 3x3 convolution, from any layout to the points of Winograd's algorithm.
#pragma once
#include "cpu/cpu_plan.h"
#include "cpu/winograd_transforms.h"

namespace residua::cpu {

class WinogradKernels {
 public:
  // For weights `w` [co, ci, 3, 3]. The convolution sums over ci; with `rotated` weights, over co.
  WinogradKernels(const TensorDesc& w, bool rotated);

  // The layout in which they are to be given: that of `w` where it is plain or the gradient's, else plain.
  const MemoryDesc& layout() const { return layout_; }

  // Columns are the channels that are not summed over. 16 of them, from `column` on, are written from `to` on:
  // [pairs of channels summed, columns that `row_columns` says, 2] at each point.
  void Transform(const WinogradScheme& scheme, const BFloat16* w, int64_t column, BFloat16* to, int64_t row_columns,
                 int64_t point_step) const;

 private:
  // Elements between weights: between blocks of 16 channels, between channels within a block, between taps.
  struct Strides {
    int64_t out_block, in_block, out, in, tap;
    int64_t At(int64_t out_channel, int64_t in_channel) const;
  };

  bool rotated_;
  int64_t summed_, columns_;  // channels
  MemoryDesc layout_;
  Strides strides_;
};

}  // namespace residua::cpu
