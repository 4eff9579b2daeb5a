// A convolution's result in pieces for threads to take: bands of pixels that the second-level cache holds.
#pragma once
#include <vector>

#include "cpu/conv2d_pixel_axis.h"
#include "cpu/pixel_products.h"

namespace residua::cpu {

// From one weight to the next, in bytes: [vectors of the result, blocks of channels read, rows of taps, taps, steps].
struct TileWeights {
  int64_t vector, read_block, row_of_taps, tap, step;
};

// The sums of one convolution or of its data's gradient. Channels of the result are in blocks of 16, those read in
// blocks of `block`: 16, or 1 (planes), where the taps of a row are the steps.
struct TileTask {
  DType dtype;
  Dims from, to;  // the images read and written [n, c, h, w]
  PixelAxis height, width;
  int64_t block;
  TileWeights weights;

  bool reads_planes() const { return block == 1; }
  int64_t steps() const;  // of a tap
  int64_t blocks() const { return from[1] / block; }
  int64_t groups() const;  // of up to kMostPixelVectors vectors of the result
  // Whether the images are not read where they lie: their padding is not there, or some pixels are too many.
  bool copies() const;
  // In bytes: a pixel of a block of channels, a row of such, a block of channels, with the padding; a block of channels
  // of the result, a whole image of it.
  int64_t pixel() const { return block * static_cast<int64_t>(SizeOf(dtype)); }
  int64_t row() const { return width.size * pixel(); }
  int64_t plane() const { return height.size * row(); }
  int64_t to_pixel() const { return kPixelVector * static_cast<int64_t>(SizeOf(dtype)); }
  int64_t to_plane() const { return to[2] * to[3] * to_pixel(); }
  int64_t to_image() const { return to[1] / kPixelVector * to_plane(); }
};

// Pixels of a phase, and the rows of the padded image that they read.
struct PixelBand {
  int64_t first_pixel, pixels, first_row, end_row;
};

// The pixels of the result that read the same taps.
struct PixelPhase {
  std::vector<PixelTap> taps;     // those of a chunk's first block of channels, then of the next
  std::vector<int64_t> from, to;  // offsets of the pixels of a set of images, image by image
  std::vector<PixelBand> bands;   // of one image, or one for all of the set
  int64_t taps_of_block = 0;
  int64_t blocks_in_chunk = 1;  // whose weights for a group stay in the first-level cache
  int64_t from_image = 0;       // bytes from image to image
};

class RegisterBands {
 public:
  RegisterBands(const TileTask& task, int64_t threads);

  struct Item {
    const PixelPhase& phase;
    const PixelBand& band;
    int64_t first_image, images;  // of the whole batch
    int64_t pixels;               // of these images
    int64_t first_group, end_group;
  };
  int64_t items() const { return items_; }
  Item ItemAt(int64_t index) const;

  int64_t most_pixels() const;        // of a band
  int64_t most_copied_bytes() const;  // of the blocks of a chunk, for a set of images

 private:
  void SetSets(int64_t threads);
  void AddTaps(int64_t row_phase, int64_t column_phase, PixelPhase* phase) const;
  void AddPixels(int64_t row_phase, int64_t column_phase, PixelPhase* phase) const;
  void AddBands(int64_t row_phase, PixelPhase* phase) const;

  const TileTask& task_;
  int64_t band_pixels_ = 0, images_in_set_ = 1, sets_ = 1;
  int64_t bands_ = 0, parts_ = 1, items_ = 0;  // bands of all phases of a set; parts of the groups; all pieces
  std::vector<PixelPhase> phases_;
};

}  // namespace residua::cpu
