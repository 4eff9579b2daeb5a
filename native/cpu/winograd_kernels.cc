// Where weights lie, and their way to the points.
#include "cpu/winograd_kernels.h"

#include <algorithm>

namespace residua::cpu {

int64_t WinogradKernels::Strides::At(int64_t out_channel, int64_t in_channel) const {
  return out_channel / kChannelBlock * out_block + out_channel % kChannelBlock * out +
         in_channel / kChannelBlock * in_block + in_channel % kChannelBlock * in;
}

WinogradKernels::WinogradKernels(const TensorDesc& w, bool rotated)
    : rotated_(rotated), summed_(w.shape[rotated ? 0 : 1]), columns_(w.shape[rotated ? 1 : 0]) {
  constexpr int64_t kTaps = 9, kTap = kChannelBlock * kChannelBlock;
  const int64_t in_channels = w.shape[1];
  const MemoryDesc given = MemoryDescOf(w);
  if (given == MemoryDesc(DimsOf(given), DnnlType(w.dtype), dnnl::memory::format_tag::OIhw16i16o)) {
    layout_ = given;
    strides_ = {kTaps * kTap * CeilDivide(in_channels, kChannelBlock), kTaps * kTap, 1, kChannelBlock, kTap};
  } else {
    layout_ = PlainMemoryDesc(w.dtype, w.shape);
    const int64_t out = kTaps * in_channels;
    strides_ = {kChannelBlock * out, kChannelBlock * kTaps, out, kTaps, 1};
  }
}

void WinogradKernels::Transform(const WinogradScheme& scheme, const BFloat16* w, int64_t column, BFloat16* to,
                                int64_t row_columns, int64_t point_step) const {
  for (int64_t channel = 0; channel < WholeBlocks(summed_); channel += 2, to += row_columns * 2) {
    const int64_t out = rotated_ ? channel : column, in = rotated_ ? column : channel;
    const KernelGroup from{w + strides_.At(out, in),
                           rotated_ ? strides_.out : strides_.in,
                           rotated_ ? strides_.in : strides_.out,
                           strides_.tap,
                           std::clamp<int64_t>(summed_ - channel, 0, 2),
                           std::min(kChannelBlock, columns_ - column),
                           rotated_};
    scheme.transform_kernels(from, to, point_step);
  }
}

}  // namespace residua::cpu
