// Images cut into square tiles for Winograd's algorithm. A tile of y is made of a square patch of x, which is larger,
// so that neighbouring patches overlap.
#pragma once
#include <cstdint>
#include <optional>

#include "cpu/onednn.h"

namespace residua::cpu {

constexpr int64_t kChannelBlock = 16;
constexpr int64_t kWinogradCacheBytes = 640 << 10;  // of a core's second level, for tiles' values at the points
constexpr int64_t kPointGap = 32;  // elements that keep the 16 points from the same few sets of a cache

inline int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t WholeBlocks(int64_t channels) { return CeilDivide(channels, kChannelBlock) * kChannelBlock; }

// An image [n, c, h, w] in which 16 channels of a pixel are neighbours: nChw16c, or nhwc of whole blocks.
struct BlockedImage {
  int64_t images, channels, height, width;
  int64_t image_step, block_step, row_step, column_step;  // elements

  int64_t blocks() const { return CeilDivide(channels, kChannelBlock); }
};
// Empty where `layout` is neither.
std::optional<BlockedImage> BlockedImageOf(const MemoryDesc& layout);
// `layout` where it is one of these, else nChw16c.
MemoryDesc BlockedLike(const MemoryDesc& layout);

// Some pixels in a square, of which some may lie outside the image.
struct Square {
  int64_t corner;   // element of the first channel of the pixel at the top left
  uint32_t inside;  // bit side * row + column
};

struct TileGrid {
  int64_t images, down, across;  // tiles in a column and in a row of an image
  int64_t step;                  // pixels from tile to tile

  int64_t tiles() const { return images * down * across; }
};
TileGrid GridOver(const BlockedImage& y, int64_t tile_side);

// Writes the squares of `side` pixels a side that belong to tiles first, first + 1, ... (`count`), numbered image by
// image and row by row, and begin `above` and `left` pixels before them.
void FindSquares(const BlockedImage& image, const TileGrid& grid, int64_t side, int64_t above, int64_t left,
                 int64_t first, int64_t count, Square* squares);

}  // namespace residua::cpu
