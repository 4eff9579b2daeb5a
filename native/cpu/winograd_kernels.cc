// Where weights lie, and their way to the points.
#include "cpu/winograd_kernels.h"

#include <algorithm>

namespace residua::cpu {

template <class Element>
int64_t WinogradKernels<Element>::Strides::At(int64_t out_channel, int64_t in_channel) const {
  return out_channel / block * out_block + out_channel % block * out + in_channel / block * in_block +
         in_channel % block * in;
}

template <class Element>
WinogradKernels<Element>::WinogradKernels(const TensorDesc& w, int64_t block, bool rotated)
    : rotated_(rotated), summed_(w.shape[rotated ? 0 : 1]), columns_(w.shape[rotated ? 1 : 0]) {
  using Tag = dnnl::memory::format_tag;
  constexpr int64_t kTaps = 9;
  const int64_t tap = block * block;
  const int64_t in_channels = w.shape[1];
  constexpr DType kType = std::is_same_v<Element, BFloat16> ? DType::kBFloat16 : DType::kFloat32;
  const Dims dims(w.shape.begin(), w.shape.end());
  const Tag tag = block == 16 ? Tag::OIhw16i16o : Tag::OIhw8i8o;
  if (MemoryDescOf(w) == MemoryDesc(dims, DnnlType(w.dtype), tag)) {
    layout_ = MemoryDesc(dims, DnnlType(kType), tag);
    strides_ = {block, kTaps * tap * CeilDivide(in_channels, block), kTaps * tap, 1, block, tap};
  } else {
    layout_ = PlainMemoryDesc(kType, w.shape);
    const int64_t out = kTaps * in_channels;
    strides_ = {block, block * out, block * kTaps, out, kTaps, 1};
  }
}

template <class Element>
void WinogradKernels<Element>::Transform(const WinogradScheme<Element>& scheme, const Element* w, int64_t column,
                                         Element* to, int64_t row_columns, int64_t point_step) const {
  constexpr int64_t kStep = kInStep<Element>;
  const int64_t channels = RoundUp(summed_, strides_.block);
  for (int64_t channel = 0; channel < channels; channel += kStep, to += row_columns * kStep) {
    const int64_t out = rotated_ ? channel : column, in = rotated_ ? column : channel;
    const KernelGroup<Element> from{w + strides_.At(out, in),
                                    rotated_ ? strides_.out : strides_.in,
                                    rotated_ ? strides_.in : strides_.out,
                                    strides_.tap,
                                    std::clamp<int64_t>(summed_ - channel, 0, kStep),
                                    std::min(strides_.block, columns_ - column),
                                    rotated_};
    scheme.transform_kernels(from, to, point_step);
  }
}

template class WinogradKernels<BFloat16>;
template class WinogradKernels<float>;

}  // namespace residua::cpu
