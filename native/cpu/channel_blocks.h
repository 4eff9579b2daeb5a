// Images by the order of their channels: in blocks (nChw16c), all together (nhwc), one by one (nchw).
#pragma once
#include <optional>

#include "cpu/onednn.h"

namespace residua::cpu {

// The elements of each image lie together, as [channels / block, positions, block].
struct ChannelBlocks {
  int64_t channels;  // with those that round up to whole blocks
  int64_t block;
  int64_t positions;  // height * width
  int64_t elements() const { return channels * positions; }
};

// Empty where the elements of an image [n, c, h, w] do not lie so. With one position any block would do: it is that of
// all channels.
std::optional<ChannelBlocks> ChannelBlocksOf(const MemoryDesc& image);

// Channels in one block, as the vectors of this processor hold.
int64_t VectorBlock();

// An image of one pixel is the same bytes in blocks as plain. Where `image` [n, c, 1, 1] is plain and whole blocks hold
// its channels, gives the blocked descriptor, for which oneDNN has the faster code; else `image` itself.
MemoryDesc BlockedIfSameBytes(const MemoryDesc& image);

}  // namespace residua::cpu
