// Images by the order of their channels.
#include "cpu/channel_blocks.h"

#include "cpu/cpu_info.h"
#include "cpu/input_reorders.h"

namespace residua::cpu {
namespace {

using Tag = dnnl::memory::format_tag;

// Strides of axes with one element do not matter.
bool SameStrides(const Blocking& blocking, const Dims& expected) {
  for (size_t axis = 0; axis < expected.size(); ++axis) {
    const int64_t block = axis == 1 && !blocking.inner_blocks.empty() ? blocking.inner_blocks[0] : 1;
    if (blocking.padded_dims[axis] / block > 1 && blocking.strides[axis] != expected[axis]) return false;
  }
  return true;
}

}  // namespace

int64_t VectorBlock() { return HasInstructions(dnnl_cpu_isa_avx512_core) ? 16 : 8; }

std::optional<ChannelBlocks> ChannelBlocksOf(const MemoryDesc& image) {
  const Blocking blocking = BlockingOf(image);
  if (!blocking.valid || blocking.dims.size() != 4) return std::nullopt;
  const int64_t width = blocking.dims[3], positions = blocking.dims[2] * width;
  const int64_t channels = blocking.padded_dims[1], elements = channels * positions;
  const auto order_if = [&](bool is_so, int64_t block) {
    return is_so ? std::optional(ChannelBlocks{channels, positions == 1 ? channels : block, positions}) : std::nullopt;
  };
  if (!blocking.inner_blocks.empty()) {
    if (blocking.inner_dims != Dims{1}) return std::nullopt;
    const int64_t block = blocking.inner_blocks[0];
    return order_if(SameStrides(blocking, {elements, positions * block, width * block, block}), block);
  }
  if (channels != blocking.dims[1]) return std::nullopt;
  if (SameStrides(blocking, {elements, positions, width, 1})) return order_if(true, 1);
  return order_if(SameStrides(blocking, {elements, 1, width * channels, channels}), channels);
}

MemoryDesc BlockedIfSameBytes(const MemoryDesc& image) {
  const Dims dims = DimsOf(image);
  const int64_t block = VectorBlock();
  const bool same = dims.size() == 4 && dims[2] == 1 && dims[3] == 1 && dims[1] % block == 0 && IsPlainInMemory(image);
  return same ? MemoryDesc(dims, DataTypeOf(image), block == 16 ? Tag::nChw16c : Tag::nChw8c) : image;
}

}  // namespace residua::cpu
