// What each pixel of a convolution's result is summed up from, along one axis of the images.
#include "cpu/conv2d_pixel_axis.h"

#include <algorithm>

namespace residua::cpu {
namespace {

// The padding that is read around the `inside` positions.
void SetPadding(int64_t inside, PixelAxis* axis) {
  int64_t first = 0, end = inside;
  for (size_t i = 0; i < axis->base.size(); ++i) {
    for (size_t k = 0; k < axis->shift.size(); ++k) {
      if (axis->tap_phase[k] != axis->phase[i]) continue;
      const int64_t position = axis->base[i] + axis->shift[k];
      first = std::min(first, position);
      end = std::max(end, position + 1);
    }
  }
  axis->before = -first;
  axis->inside = inside;
  axis->size = end - first;
}

}  // namespace

PixelAxis ForwardAxis(const ConvGeometry& g, size_t axis) {
  PixelAxis forward;
  const int64_t in = g.x[2 + axis], out = g.y[2 + axis], stride = g.strides[axis];
  const bool is_sampled = g.w[2 + axis] == 1 && g.padding[axis] == 0;
  forward.sampling = is_sampled ? stride : 1;
  for (int64_t i = 0; i < out; ++i) forward.base.push_back(i * (is_sampled ? 1 : stride) - g.padding[axis]);
  for (int64_t k = 0; k < g.w[2 + axis]; ++k) forward.shift.push_back(k * (g.dilation[axis] + 1));
  forward.phase.assign(forward.base.size(), 0);
  forward.tap_phase.assign(forward.shift.size(), 0);
  SetPadding(is_sampled ? (in + stride - 1) / stride : in, &forward);
  return forward;
}

// x's position i and tap k meet y's position (i + padding - k * dilation) / stride, where that is whole.
PixelAxis BackwardDataAxis(const ConvGeometry& g, size_t axis) {
  PixelAxis backward;
  backward.phases = g.strides[axis];
  for (int64_t i = 0; i < g.x[2 + axis]; ++i) {
    backward.base.push_back((i + g.padding[axis]) / backward.phases);
    backward.phase.push_back((i + g.padding[axis]) % backward.phases);
  }
  for (int64_t k = 0; k < g.w[2 + axis]; ++k) {
    const int64_t distance = k * (g.dilation[axis] + 1);
    backward.shift.push_back(-(distance / backward.phases));
    backward.tap_phase.push_back(distance % backward.phases);
  }
  SetPadding(g.y[2 + axis], &backward);
  return backward;
}

}  // namespace residua::cpu
