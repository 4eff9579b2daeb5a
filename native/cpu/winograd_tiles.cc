// Where the pixels of tiles lie.
#include "cpu/winograd_tiles.h"

#include <algorithm>

namespace residua::cpu {
namespace {

// Bits of the positions start, start + 1, ... (`side` of them) that are within [0, size).
uint64_t Within(int64_t start, int64_t side, int64_t size) {
  const int64_t first = std::clamp<int64_t>(-start, 0, side), end = std::clamp<int64_t>(size - start, first, side);
  return (uint64_t{1} << end) - (uint64_t{1} << first);
}

}  // namespace

std::optional<BlockedImage> BlockedImageOf(const MemoryDesc& layout, int64_t block) {
  const Blocking blocking = BlockingOf(layout);
  if (!blocking.valid || blocking.dims.size() != 4) return std::nullopt;
  const Dims &d = blocking.dims, &s = blocking.strides;
  const bool in_blocks = blocking.inner_blocks == Dims{block} && blocking.inner_dims == Dims{1};
  const bool channels_last = blocking.inner_blocks.empty() && s[1] == 1 && d[1] % block == 0;
  if (!in_blocks && !channels_last) return std::nullopt;
  return BlockedImage{block, d[0], d[1], d[2], d[3], s[0], in_blocks ? s[1] : block, s[2], s[3]};
}

MemoryDesc BlockedLike(const MemoryDesc& layout, int64_t block) {
  using Tag = dnnl::memory::format_tag;
  if (BlockedImageOf(layout, block)) return layout;
  return MemoryDesc(DimsOf(layout), DataTypeOf(layout), block == 16 ? Tag::nChw16c : Tag::nChw8c);
}

TileGrid GridOver(const BlockedImage& y, int64_t tile_side) {
  return {y.images, CeilDivide(y.height, tile_side), CeilDivide(y.width, tile_side), tile_side};
}

void FindSquares(const BlockedImage& image, const TileGrid& grid, int64_t side, int64_t above, int64_t left,
                 int64_t first, int64_t count, Square* squares) {
  int64_t n = first / (grid.down * grid.across), row = first / grid.across % grid.down, column = first % grid.across;
  uint64_t rows = Within(row * grid.step - above, side, image.height);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t y = row * grid.step - above, x = column * grid.step - left;
    const uint64_t columns = Within(x, side, image.width);
    uint64_t inside = 0;
    for (int64_t line = 0; line < side; ++line) inside |= (rows >> line & 1) * columns << (side * line);
    squares[i] = {n * image.image_step + y * image.row_step + x * image.column_step, inside};
    if (++column < grid.across) continue;
    column = 0;
    if (++row == grid.down) row = 0, ++n;
    rows = Within(row * grid.step - above, side, image.height);
  }
}

}  // namespace residua::cpu
