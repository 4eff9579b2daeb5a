// Changes of layout of weights in tiles of 16 by 16 channels, by vector instructions: half the time of oneDNN's.
#pragma once
#include <cstdint>
#include <optional>

#include "cpu/onednn.h"

namespace residua::cpu {

// How the 16 x 16 elements of a tile lie: in rows of 16, or in pairs of rows, whose elements alternate.
struct TileOrder {
  bool rows_of_o;  // a row holds all input channels of one output channel; else the other way round
  bool in_pairs;
};

// A layout of w [o, i, h, w] in tiles. Steps count elements, those along channels from tile to tile.
struct TileLayout {
  TileOrder order;
  int64_t o, i, h, w;
  // OIhw16i16o, OIhw16o16i, OIhw8i16o2i, OIhw8o16i2o and what else has such tiles; empty for others.
  static std::optional<TileLayout> Of(const MemoryDesc& desc);
};

class TileReorder {
 public:
  // Empty where one of the layouts has no tiles or tiles that channels do not fill, for types other than float32 to
  // either and bfloat16 to itself, and where the processor has no such instructions.
  static std::optional<TileReorder> Of(const MemoryDesc& from, const MemoryDesc& to);

  void Run(const void* from, void* to) const;

 private:
  using MoveTile = void (*)(const void* from, void* to);
  TileReorder(const Dims& dims, const TileLayout& from, const TileLayout& to, MoveTile move, int64_t from_size,
              int64_t to_size)
      : dims_(dims), from_(from), to_(to), move_(move), from_size_(from_size), to_size_(to_size) {}

  Dims dims_;
  TileLayout from_, to_;
  MoveTile move_;
  int64_t from_size_, to_size_;  // bytes of an element
};

}  // namespace residua::cpu
