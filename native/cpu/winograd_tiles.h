// Images cut into square tiles for Winograd's algorithm. A tile of y is made of a square patch of x, which is larger,
// so that neighbouring patches overlap.
#pragma once
#include <cstdint>
#include <optional>

#include "cpu/onednn.h"
#include "cpu/rounding.h"

namespace residua::cpu {

constexpr int64_t kPointGap = 32;  // elements that keep the points from the same few sets of a cache

// An image [n, c, h, w] in which `block` channels of a pixel, 8 or 16, are neighbours: nChw8c or nChw16c, or nhwc of
// whole blocks.
struct BlockedImage {
  int64_t block;
  int64_t images, channels, height, width;
  int64_t image_step, block_step, row_step, column_step;  // elements

  int64_t blocks() const { return CeilDivide(channels, block); }
  int64_t whole_channels() const { return blocks() * block; }
};
// Empty where `layout` is neither.
std::optional<BlockedImage> BlockedImageOf(const MemoryDesc& layout, int64_t block);
// `layout` where it is one of these, else nChw8c or nChw16c.
MemoryDesc BlockedLike(const MemoryDesc& layout, int64_t block);

// Some pixels in a square, of which some may lie outside the image.
struct Square {
  int64_t corner;   // element of the first channel of the pixel at the top left
  uint64_t inside;  // bit side * row + column
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
