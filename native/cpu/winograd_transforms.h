// The transforms of Winograd's minimal filtering (Lavin, Gray: Fast Algorithms for Convolutional Neural Networks, 2016,
// section 4) between elements in memory and float32 in registers, for a block of channels at a time: 16 in bfloat16, as
// many as a vector of the processor holds in float32. With d the pixels of a
// patch, g the 3x3 weights, y the tile that they make, and * element by element,
//
//   y  = A [(G g G^T) * (B d B^T)] A^T             of a convolution,
//   dg = G^T [(B d B^T) * (A^T dy A)] G            of the gradient of the weights,
//
// where the brackets are summed over channels, or over tiles, before what is around them: at each point a product of
// matrices. Values are rounded to the element's type once on either side of it.
#pragma once
#include <vector>

#include "cpu/half_types.h"
#include "cpu/panel_product.h"
#include "cpu/winograd_tiles.h"

namespace residua::cpu {

// A block of channels of the pixels of some squares; `pixels` is the first of these channels in the image's memory.
template <class Element>
struct SquareChannels {
  const BlockedImage& image;
  const Element* pixels;
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
  const float* bias;  // [block], or null
  bool adds;          // to what the pixels hold
  bool relu;          // keeps NaN
};

// Weights between the channels of a step, which are summed over, and a block of others.
template <class Element>
struct KernelGroup {
  const Element* weights;
  int64_t summed_step, column_step, tap_step;  // elements between channels of either kind, and between taps
  int64_t summed, columns;                     // channels that there are, of a step and of a block: the others are 0
  bool rotated;                                // by half a turn
};

// Sums of a block of channels, in copies that are still to be added up.
struct KernelSums {
  const float* at;
  int64_t point_step, copies, copy_step;
};

template <class Element>
struct WinogradScheme {
  int patch_side, tile_side, points;  // pixels, pixels, number of points in both directions together
  int padding;                        // zeros around the patch that it does not hold
  int64_t only_side;                  // of the images that it is for; 0 for any

  // B d B^T: a row for each patch, a block of channels.
  void (*transform_patches)(const SquareChannels<Element>& from, const PointValues<Element>& to);
  // The same in steps: a row for each kInStep patches, in which the numbers of a channel are neighbours. What is
  // missing in the last one is 0.
  void (*transform_patch_steps)(const SquareChannels<Element>& from, const PointValues<Element>& to);
  // A^T dy A in steps. Adds the sum of all pixels to `sums` [block].
  void (*transform_tile_steps)(const SquareChannels<Element>& from, const PointValues<Element>& to, float* sums);
  // A m A^T: to the pixels of `tiles`, at `pixels`.
  void (*transform_to_tiles)(const PointValues<const float>& from, const SquareChannels<Element>& tiles,
                             const TileEpilogue& epilogue, Element* pixels);
  // G g G^T: [block, kInStep] at each point.
  void (*transform_kernels)(const KernelGroup<Element>& from, Element* to, int64_t point_step);
  // G^T m G: a block of numbers for each tap.
  void (*transform_to_kernels)(const KernelSums& from, float* to, int64_t tap_step);
};

// What is compiled for one kind of vectors.
template <class Element>
struct WinogradCode {
  int64_t block;          // channels
  int64_t panel_columns;  // of a product, at most
  int64_t cache_bytes;    // of a core's second level, for tiles' values at the points
  void (*multiply)(const PanelProduct<Element>& product);
  std::vector<WinogradScheme<Element>> schemes;

  // The one with the fewest multiplications for a 3x3 convolution of stride 1 that reads and writes such images:
  // F(4x4, 3x3) needs 36 for each tile of 4x4 instead of 144, F(2x2, 3x3) 16 for one of 2x2 instead of 36; for images
  // of 3x3 pixels with a padding of 1 there is one that needs 25 for the whole image instead of 81.
  const WinogradScheme<Element>& SchemeFor(const BlockedImage& read, const BlockedImage& written,
                                           const Dims& padding) const;
};

// Null where this processor has no such vectors.
const WinogradCode<BFloat16>* WinogradInBFloat16();
const WinogradCode<float>* WinogradInFloat32();

// Null where the compiler does not know the processor's vectors. To be called only where it has the instructions.
const WinogradCode<float>* WinogradByAvx2();
const WinogradCode<float>* WinogradByAvx512();

}  // namespace residua::cpu
