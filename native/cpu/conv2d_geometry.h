// What the three convolution ops share: sizes as oneDNN wants them, and the choice of the algorithm.
#pragma once
#include <optional>
#include <string>

#include "cpu/algorithm_tuner.h"
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
  // Identifies the work; `direction` is one of the three ops.
  std::string Key(const char* direction, int threads) const;

 private:
  void SetPaddingAfter();
  int64_t KernelExtent(size_t axis) const;  // with its gaps
  bool IsConsistent() const;
};

// Makes the direct convolution, or Winograd's where that exists and runs faster. `make(algorithm)` gives a primitive
// descriptor or throws; `arguments_of(descriptor)` gives all arguments but the scratchpad.
template <class Make, class ArgumentsOf>
auto FastestConvolution(const CpuContext& context, const char* direction, const ConvGeometry& geometry, bool is_float32,
                        const Make& make, const ArgumentsOf& arguments_of) {
  constexpr double kWorthTiming = 1e9;  // operations
  auto direct = make(dnnl::algorithm::convolution_direct);
  if (!context.tuner || !is_float32 || !geometry.SuitsWinograd() || geometry.Flops() < kWorthTiming) return direct;
  const std::string key = geometry.Key(direction, context.threads);
  std::optional<size_t> choice = context.tuner->Known(key);
  if (choice == size_t{0}) return direct;
  decltype(direct) winograd;
  try {
    winograd = make(dnnl::algorithm::convolution_winograd);
  } catch (const dnnl::error&) {
    return direct;  // this library or processor has none
  }
  if (!choice) {
    std::vector<AlgorithmTuner::Candidate> candidates;
    for (const auto& desc : {direct, winograd}) {
      candidates.push_back({dnnl::primitive(desc), arguments_of(desc), desc.scratchpad_desc()});
    }
    choice = context.tuner->Fastest(context, key, candidates);
  }
  return *choice == 0 ? direct : winograd;
}

}  // namespace residua::cpu
