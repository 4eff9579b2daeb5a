// Images in blocks of channels as BatchNorm's loops go over them.
#pragma once
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <type_traits>

#include "cpu/batch_norm_code.h"
#include "cpu/channel_blocks.h"
#include "cpu/cpu_plan.h"

namespace residua::cpu {

// [images, blocks, positions, lanes], and the images in groups: so many that the positions of a block in them are worth
// a call.
struct NormImage {
  static constexpr int64_t kGroupPositions = 512;
  int64_t images, channels, blocks, positions, lanes;

  // Empty where `x` does not lie so, in blocks of `lanes` channels.
  static std::optional<NormImage> Of(const TensorDesc& x, int64_t lanes) {
    if (x.shape.size() != 4) return std::nullopt;
    const auto order = ChannelBlocksOf(BlockedIfSameBytes(MemoryDescOf(x)));
    if (!order || order->channels % lanes != 0) return std::nullopt;
    if (order->block != lanes && order->positions != 1) return std::nullopt;
    return NormImage{x.shape[0], x.shape[1], order->channels / lanes, order->positions, lanes};
  }

  int64_t whole_channels() const { return blocks * lanes; }
  int64_t image_elements() const { return blocks * positions * lanes; }
  int64_t MaskBytes() const { return images * image_elements() / 8; }

  // Blocks that are worth going over together, as they lie beside each other: few where a block of all images stays in
  // the second-level cache, or is long in each of them.
  int64_t Together() const {
    constexpr int64_t kCacheElements = 1 << 18, kLongElements = 1 << 14;
    const int64_t elements = positions * lanes;
    return images * elements <= kCacheElements ? 1 : std::max<int64_t>(kLongElements / elements, 1);
  }

  int64_t group() const { return std::clamp<int64_t>(kGroupPositions / positions, 1, images); }
  int64_t groups() const { return (images + group() - 1) / group(); }
  int64_t ImagesIn(int64_t at) const { return std::min(group(), images - at * group()); }
  int64_t PositionsIn(int64_t at) const { return ImagesIn(at) * positions; }
  // The first element of a block in a group.
  int64_t At(int64_t at, int64_t block) const { return at * group() * image_elements() + block * positions * lanes; }
  // A block in a group; `direction` 1 or -1 is where the next one lies.
  NormBox Box(int64_t at, int64_t direction) const {
    const int64_t next = at + direction;
    const int64_t ahead = next < 0 || next >= groups() || ImagesIn(next) < ImagesIn(at) ? 0 : direction * At(1, 0);
    if (positions < 4) return {positions, ImagesIn(at), lanes, image_elements(), ahead};
    return {ImagesIn(at), positions, image_elements(), lanes, ahead};
  }
};

// Calls first(block, group) for all groups of images, then between(block), then second(block, group) for all of them,
// the last one first. Threads share the blocks; where these are too few for that, they share the groups of all blocks.
// Whatever the threads, the calls and what they may depend on are the same.
template <class First, class Between, class Second>
void ForEachBlock(const NormImage& image, const First& first, const Between& between, const Second& second) {
  const int64_t threads = omp_get_max_threads(), groups = image.groups();
  if (image.blocks % threads == 0 || image.blocks >= 4 * threads) {
    const int64_t grain = std::clamp<int64_t>(image.blocks / threads, 1, image.Together());
    ParallelFor(image.blocks, grain, [&](int64_t begin, int64_t end) {
      for (int64_t from = begin, to; from < end; from = to) {
        to = std::min(from + image.Together(), end);
        for (int64_t n = 0; n < groups; ++n) {
          for (int64_t block = from; block < to; ++block) first(block, n);
        }
        for (int64_t block = from; block < to; ++block) between(block);
        for (int64_t n = groups; n-- > 0;) {  // the last one is in the cache
          for (int64_t block = from; block < to; ++block) second(block, n);
        }
      }
    });
    return;
  }
  const auto for_all = [&](const auto& call) {
    ParallelFor(image.blocks * groups, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) call(i / groups, i % groups);
    });
  };
  for_all(first);
  for (int64_t block = 0; block < image.blocks; ++block) between(block);
  for_all(second);
}

// Values of all channels, rounded up to blocks, in a plan's scratch.
class ChannelVectors {
 public:
  ChannelVectors(const NormImage& image, int64_t vectors, size_t* scratch_bytes)
      : channels_(image.whole_channels()),
        at_(TakeScratch(scratch_bytes, static_cast<size_t>(vectors * channels_) * sizeof(float))) {}
  float* In(void* scratch, int64_t vector) const {
    return reinterpret_cast<float*>(static_cast<char*>(scratch) + at_) + vector * channels_;
  }

 private:
  int64_t channels_;
  size_t at_;
};

// Values of all channels in each group of images: [groups, blocks, lanes].
class GroupVectors {
 public:
  GroupVectors(const NormImage& image, size_t* scratch_bytes)
      : lanes_(image.lanes), vectors_(image, image.groups(), scratch_bytes) {}
  float* In(void* scratch, int64_t group, int64_t block) const { return vectors_.In(scratch, group) + block * lanes_; }

 private:
  int64_t lanes_;
  ChannelVectors vectors_;
};

// make(the code for images of this type), where SuitsBlockedBatchNorm.
template <class Make>
PlanPtr WithBatchNormCode(DType dtype, const Make& make) {
  return dtype == DType::kBFloat16 ? make(*BatchNormInBFloat16()) : make(*BatchNormInFloat32());
}
template <class Code>
using ElementOf = typename std::decay_t<Code>::Element;

}  // namespace residua::cpu
