// Sizes of a convolution as oneDNN wants them.
#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

ConvGeometry::ConvGeometry(const Conv2dParams& p, const Shape& x_shape, const Shape& w_shape, const Shape& y_shape)
    : x(x_shape.begin(), x_shape.end()),
      w(w_shape.begin(), w_shape.end()),
      b{w_shape[0]},
      y(y_shape.begin(), y_shape.end()),
      strides{p.stride_h, p.stride_w},
      dilation{p.dilation_h - 1, p.dilation_w - 1},
      padding{p.pad_h, p.pad_w} {
  if (p.groups > 1) w = {p.groups, w_shape[0] / p.groups, w_shape[1], w_shape[2], w_shape[3]};
}

// A multiplication and an addition for each weight at each position of y.
double ConvGeometry::Flops() const {
  const double weights = static_cast<double>(NumElements(w));
  return 2.0 * weights * static_cast<double>(y[0] * y[2] * y[3]);
}

bool ConvGeometry::SuitsWinograd() const {
  return w.size() == 4 && w[2] == 3 && w[3] == 3 && strides == Dims{1, 1} && dilation == Dims{0, 0};
}

std::string ConvGeometry::Key(const char* direction, int threads) const {
  std::string key = direction;
  for (const Dims* part : {&x, &w, &y, &padding}) key += ToString(*part);
  return key + std::to_string(threads);
}

}  // namespace residua::cpu
