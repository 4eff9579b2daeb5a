// The positions that a convolution's taps join, as steps of the outer products' kernel: where it reads x and dy.
#pragma once
#include <utility>

#include "cpu/conv2d_geometry.h"
#include "cpu/outer_products.h"

namespace residua::cpu {

// Some positions of y: all rows of some images, or some rows of one.
struct Piece {
  int64_t first_image, images, first_row, rows;
};

// x and dy in blocks of channels (nChw16c), and the thread's memory for copies of a piece.
struct StepSources {
  const char *x, *dy;
  char* packed;
};

// In float32 the images are read where they lie. In bfloat16 pairs of neighbours are packed, for each column of taps a
// copy of x, since it joins other neighbours.
class PositionSteps {
 public:
  PositionSteps(const ConvGeometry& geometry, DType dtype);

  // Of a piece of about as many steps as the cache holds.
  int64_t images_in_piece() const { return images_in_piece_; }
  int64_t rows_in_piece() const { return rows_in_piece_; }
  int64_t rows() const { return height_.out; }

  size_t packed_bytes() const;  // 0 in float32
  // Copies what the products of a piece with these blocks of y's channels need.
  void Pack(const Piece& piece, const StepSources& from, int64_t first_y_block, int64_t end_y_block) const;
  // The product of one block of x's channels with y's from `y_block` on, as far as these are packed, for a tap of the
  // kernel. The result's place is left open.
  OuterProduct Product(const Piece& piece, const StepSources& from, int64_t tap, int64_t x_block, int64_t y_block,
                       int64_t first_y_block) const;
  // The product of a row of ones, which is dy's sum.
  OuterProduct Sum(const Piece& piece, const StepSources& from, int64_t y_block, int64_t first_y_block) const;

  // Where the block of x's channels, or of dy's, lies in the images, to be fetched while another piece is at work.
  // A block of x is fetched in parts, where its cache lines are more than the steps.
  int64_t x_parts() const { return x_blocks_ * LinesOfX() * RowsOfX(); }
  StepAddresses XAhead(const Piece& piece, const char* x, int64_t part) const;
  StepAddresses DyAhead(const Piece& piece, const char* dy, int64_t block) const;

 private:
  // One axis of the images.
  struct Axis {
    int64_t in, out, taps, stride, dilation, padding;
    Axis(const ConvGeometry& geometry, size_t axis);
    int64_t Input(int64_t out_at, int64_t tap) const { return out_at * stride + tap * dilation - padding; }
    std::pair<int64_t, int64_t> Joined(int64_t tap, int64_t begin, int64_t end) const;
    bool JoinsEachToItself() const { return taps == 1 && stride == 1 && padding == 0 && in == out; }
  };
  // Bytes from one block of channels, image, row and position (or step) to the next.
  struct Layout {
    int64_t block, image, row, position;
  };

  void JoinRows();
  int64_t LinesOfX() const;  // cache lines of x in a step, and rows of x for a row of y
  int64_t RowsOfX() const;
  int64_t StepsOfRow() const { return (width_.out + PositionsInStep(dtype_) - 1) / PositionsInStep(dtype_); }
  // Of the rows of x that are packed: the first one's, and from one to the next. A 1x1 kernel skips some.
  int64_t FirstPackedRow(const Piece& piece) const { return height_.Input(piece.first_row, 0); }
  int64_t PackedRowStep() const { return height_.taps == 1 ? height_.stride : 1; }
  int64_t PackedRows(int64_t rows) const {
    return ((rows - 1) * height_.stride + (height_.taps - 1) * height_.dilation) / PackedRowStep() + 1;
  }
  int64_t PackedXBytes() const { return packed_x_.block * x_blocks_ * width_.taps; }

  DType dtype_;
  bool is_packed_;
  Axis height_, width_;
  int64_t x_blocks_, y_blocks_;
  int64_t images_in_piece_, rows_in_piece_;
  Layout x_, dy_;                // of the images
  Layout packed_x_, packed_dy_;  // of the copies
};

}  // namespace residua::cpu
