// Sizes of a convolution as oneDNN wants them.
#pragma once
#include <string>

#include "cpu/cpu_plan.h"

namespace residua::cpu {

struct ConvGeometry {
  Dims x;              // [n, ci, h, w]
  Dims w;              // [co, ci, kh, kw], or [groups, co / groups, ci / groups, kh, kw]
  Dims b;              // [co]
  Dims y;              // [n, co, oh, ow]
  Dims strides;        // [h, w], as the next four
  Dims dilation;       // oneDNN counts from 0
  Dims padding;        // before
  Dims padding_after;  // what y needs, which may be less than `padding`
  Dims first_tap;      // of the whole kernel, in `w`: see LiveTaps

  ConvGeometry(const Conv2dParams& p, const Shape& x_shape, const Shape& w_shape, const Shape& y_shape);

  // The same convolution with only those taps of the kernel that meet the image anywhere. On the last stage of a
  // ResNet for small images, 3x3 on 1x1, one of nine does: the others would multiply padding. Equal to *this where
  // there is nothing to leave out, or where the kernel is split into groups.
  ConvGeometry LiveTaps() const;
  Dims TapOffsets() const { return {0, 0, first_tap[0], first_tap[1]}; }  // of `w` in the whole weights
  bool HasAllTaps(const ConvGeometry& whole) const { return w == whole.w; }

  double Flops() const;
  // 3x3, stride 1, not dilated, not grouped: what Winograd's algorithm is for.
  bool SuitsWinograd() const;
  // Identifies the work; `direction` is the op's name.
  std::string Key(const char* direction, DType dtype, int threads) const;

 private:
  void SetPaddingAfter();
  int64_t KernelExtent(size_t axis) const;  // with its gaps
  bool IsConsistent() const;
};

// Lays float32 weights out as they usually lie in training: as their gradient comes.
void SetMasterLayout(TensorDesc* w);

}  // namespace residua::cpu
