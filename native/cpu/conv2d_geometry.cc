// Sizes of a convolution as oneDNN wants them.
#include "cpu/conv2d_geometry.h"

#include <algorithm>

namespace residua::cpu {

ConvGeometry::ConvGeometry(const Conv2dParams& p, const Shape& x_shape, const Shape& w_shape, const Shape& y_shape)
    : x(x_shape.begin(), x_shape.end()),
      w(w_shape.begin(), w_shape.end()),
      b{w_shape[0]},
      y(y_shape.begin(), y_shape.end()),
      strides{p.stride_h, p.stride_w},
      dilation{p.dilation_h - 1, p.dilation_w - 1},
      padding{p.pad_h, p.pad_w},
      first_tap{0, 0} {
  if (p.groups > 1) w = {p.groups, w_shape[0] / p.groups, w_shape[1], w_shape[2], w_shape[3]};
  SetPaddingAfter();
}

void ConvGeometry::SetPaddingAfter() {
  padding_after.resize(2);
  for (size_t axis = 0; axis < 2; ++axis) {
    const int64_t needed = (y[2 + axis] - 1) * strides[axis] + KernelExtent(axis) - x[2 + axis] - padding[axis];
    padding_after[axis] = std::max<int64_t>(0, needed);
  }
}

int64_t ConvGeometry::KernelExtent(size_t axis) const {
  return (w[w.size() - 2 + axis] - 1) * (dilation[axis] + 1) + 1;
}

// Whether y follows from the other sizes as oneDNN computes it. Padding must not be negative there.
bool ConvGeometry::IsConsistent() const {
  for (size_t axis = 0; axis < 2; ++axis) {
    if (padding[axis] < 0) return false;
    const int64_t padded = x[2 + axis] + padding[axis] + padding_after[axis];
    if ((padded - KernelExtent(axis)) / strides[axis] + 1 != y[2 + axis]) return false;
  }
  return true;
}

ConvGeometry ConvGeometry::LiveTaps() const {
  ConvGeometry live = *this;
  if (w.size() != 4) return live;
  for (size_t axis = 0; axis < 2; ++axis) {
    const int64_t step = dilation[axis] + 1;
    const auto meets_image = [&](int64_t tap) {
      for (int64_t at = 0; at < y[2 + axis]; ++at) {
        const int64_t position = at * strides[axis] - padding[axis] + tap * step;
        if (position >= 0 && position < x[2 + axis]) return true;
      }
      return false;
    };
    int64_t first = 0, end = w[2 + axis];
    while (first < end && !meets_image(first)) ++first;
    while (end > first && !meets_image(end - 1)) --end;
    if (first == end) return *this;  // y sees padding alone
    live.first_tap[axis] = first;
    live.w[2 + axis] = end - first;
    live.padding[axis] = padding[axis] - first * step;
  }
  live.SetPaddingAfter();
  return live.IsConsistent() ? live : *this;
}

// A multiplication and an addition for each weight at each position of y.
double ConvGeometry::Flops() const {
  const double weights = static_cast<double>(NumElements(w));
  return 2.0 * weights * static_cast<double>(y[0] * y[2] * y[3]);
}

bool ConvGeometry::SuitsWinograd() const {
  return w.size() == 4 && w[2] == 3 && w[3] == 3 && strides == Dims{1, 1} && dilation == Dims{0, 0};
}

std::string ConvGeometry::Key(const char* direction, DType dtype, int threads) const {
  std::string key = std::string(direction) + ' ' + Name(dtype) + ' ';
  for (const Dims* part : {&x, &w, &y, &strides, &dilation, &padding}) key += ToString(*part);
  return key + " threads " + std::to_string(threads);
}

void SetMasterLayout(TensorDesc* w) {
  if (w->shape[0] % 16 != 0 || w->shape[1] % 16 != 0) return;
  SetLayout(
      w, MemoryDesc(Dims(w->shape.begin(), w->shape.end()), DnnlType(w->dtype), dnnl::memory::format_tag::OIhw16i16o));
}

}  // namespace residua::cpu
