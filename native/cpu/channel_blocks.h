// Images by the order of their channels: in blocks (nChw16c), all together (nhwc), one by one (nchw).
#pragma once
#include <cstring>
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

// Copies of 16 channels are a few instructions where their size is known.
inline void CopyBlock(char* to, const char* from, int64_t bytes) {
  if (bytes == 64)
    std::memcpy(to, from, 64);
  else if (bytes == 32)
    std::memcpy(to, from, 32);
  else
    std::memcpy(to, from, static_cast<size_t>(bytes));
}

// Channels in one block, as the vectors of this processor hold.
int64_t VectorBlock();

// An image of one pixel is the same bytes in blocks as plain. Where `image` [n, c, 1, 1] is plain and whole blocks hold
// its channels, gives the blocked descriptor, for which oneDNN has the faster code; else `image` itself.
MemoryDesc BlockedIfSameBytes(const MemoryDesc& image);

}  // namespace residua::cpu
