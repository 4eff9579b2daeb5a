// What each pixel of a convolution's result is summed up from, along one axis of the images.
#pragma once
#include <vector>

#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

// Position i of the result reads position base[i] + shift[k] of the image for each tap k of its phase. Positions before
// and after the image are padding.
//
// Forward all positions are in phase 0. The gradient of a strided convolution's data has as many phases as the stride:
// with stride 2 and 3 taps, even positions read two taps and odd ones the third, or the other way round.
struct PixelAxis {
  std::vector<int64_t> base, phase;       // of each position of the result
  std::vector<int64_t> shift, tap_phase;  // of each tap
  int64_t phases = 1;
  int64_t sampling = 1;  // only each sampling-th position of the image is there, beginning with the first
  // Padding before the image, positions of the image that are there, size with the padding.
  int64_t before = 0, inside = 0, size = 0;
};

// Axis 0: height, 1: width.
PixelAxis ForwardAxis(const ConvGeometry& geometry, size_t axis);       // x -> y
PixelAxis BackwardDataAxis(const ConvGeometry& geometry, size_t axis);  // dy -> dx

}  // namespace residua::cpu
