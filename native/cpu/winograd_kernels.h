// The weights of a 3x3 convolution, from any layout to the points of Winograd's algorithm.
#pragma once
#include "cpu/cpu_plan.h"
#include "cpu/winograd_transforms.h"

namespace residua::cpu {

template <class Element>
class WinogradKernels {
 public:
  // For weights `w` [co, ci, 3, 3], also of another type. The convolution sums over ci; with `rotated` weights, over
  // co.
  WinogradKernels(const TensorDesc& w, int64_t block, bool rotated);

  // The layout, in Element, in which they are to be given: that of `w` where it is plain or the gradient's, else plain.
  const MemoryDesc& layout() const { return layout_; }

  // Columns are the channels that are not summed over. A block of them, from `column` on, is written from `to` on:
  // [steps of channels summed, columns that `row_columns` says, kInStep] at each point.
  void Transform(const WinogradScheme<Element>& scheme, const Element* w, int64_t column, Element* to,
                 int64_t row_columns, int64_t point_step) const;

 private:
  // Elements between weights: between blocks of channels, between channels within a block, between taps.
  struct Strides {
    int64_t block, out_block, in_block, out, in, tap;
    int64_t At(int64_t out_channel, int64_t in_channel) const;
  };

  bool rotated_;
  int64_t summed_, columns_;  // channels
  MemoryDesc layout_;
  Strides strides_;
};

}  // namespace residua::cpu
