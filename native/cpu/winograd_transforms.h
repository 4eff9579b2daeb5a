// The transforms of Winograd's minimal filtering (Lavin, Gray: Fast Algorithms for Convolutional Neural Networks, 2016,
// section 4) between bfloat16 in memory and float32 in registers, for 16 channels at a time. With d the pixels of a
// patch, g the 3x3 weights, y the tile that they make, and * element by element,
//
//   y  = A [(G g G^T) * (B d B^T)] A^T             of a convolution,
//   dg = G^T [(B d B^T) * (A^T dy A)] G            of the gradient of the weights,
//
// where the brackets are summed over channels, or over tiles, before what is around them: at each point a product of
// matrices. Values are rounded to bfloat16 once on either side of it.
//
// To be called only where HasBFloat16Vectors().
#pragma once
#include "cpu/half_types.h"
#include "cpu/winograd_tiles.h"

namespace residua::cpu {

// 16 channels of the pixels of some squares; `pixels` is the first of these channels in the image's memory.
struct SquareChannels {
  const BlockedImage& image;
  const BFloat16* pixels;
  const Square* squares;
  int64_t count;
};

// Values at the points: element (point, row), and the channels that follow it.
template <class T>
struct PointValues {
  T* at;
  int64_t point_step, row_step;
};

// What is done to a tile before it is written.
struct TileEpilogue {
  const float* bias;  // [16], or null
  bool adds;          // to what the pixels hold
  bool relu;          // keeps NaN
};

// Weights between a pair of channels that are summed over and 16 others.
struct KernelGroup {
  const BFloat16* weights;
  int64_t summed_step, column_step, tap_step;  // elements between channels of either kind, and between taps
  int64_t summed, columns;                     // channels that there are, 2 and 16 at most: the others are 0
  bool rotated;                                // by half a turn
};

// Sums of 16 channels, in copies that are still to be added up.
struct KernelSums {
  const float* at;
  int64_t point_step, copies, copy_step;
};

struct WinogradScheme {
  int patch_side, tile_side, points;  // pixels, pixels, number of points in both directions together
  int padding;                        // zeros around the patch that it does not hold

  // B d B^T: a row for each patch, 16 channels.
  void (*transform_patches)(const SquareChannels& from, const PointValues<BFloat16>& to);
  // The same in pairs: a row for two patches, in which the two numbers of a channel are neighbours. A last patch
  // without a second is paired with 0.
  void (*transform_patch_pairs)(const SquareChannels& from, const PointValues<BFloat16>& to);
  // A^T dy A in pairs. Adds the sum of all pixels to `sums` [16].
  void (*transform_tile_pairs)(const SquareChannels& from, const PointValues<BFloat16>& to, float* sums);
  // A m A^T: to the pixels of `tiles`, at `pixels`.
  void (*transform_to_tiles)(const PointValues<const float>& from, const SquareChannels& tiles,
                             const TileEpilogue& epilogue, BFloat16* pixels);
  // G g G^T: [16, 2] at each point.
  void (*transform_kernels)(const KernelGroup& from, BFloat16* to, int64_t point_step);
  // G^T m G: 16 numbers for each tap.
  void (*transform_to_kernels)(const KernelSums& from, float* to, int64_t tap_step);
};

// For a 3x3 convolution of stride 1 that reads and writes such images: F(2x2, 3x3), with patches of 4x4 pixels, tiles
// of 2x2, 16 multiplications instead of 36; for images of 3x3 pixels with a padding of 1 the whole image in 25
// multiplications instead of 81.
const WinogradScheme& SchemeFor(const BlockedImage& read, const BlockedImage& written, const Dims& padding);

}  // namespace residua::cpu
