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

  // What lies in the images of another piece, in parts of as many cache lines as a product has steps, to be fetched
  // while this piece is at work. Null after the last part.
  const char* Ahead(const Piece& piece, const StepSources& from, int64_t first_y_block, int64_t end_y_block,
                    int64_t part) const;

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

  // Some rows of x: all that a piece reads, and some in between.
  struct Rows {
    int64_t begin, end;
  };

  void SampleX();
  void JoinRows();
  int64_t StepsOfRow() const { return (width_.out + PositionsInStep(dtype_) - 1) / PositionsInStep(dtype_); }
  int64_t StepsOfPiece() const { return images_in_piece_ * rows_in_piece_ * StepsOfRow(); }
  Rows RowsOfX(const Piece& piece) const;
  const char* Part(const char* at, const Layout& layout, int64_t images, int64_t blocks, int64_t rows,
                   int64_t* part) const;

  // Rows of x that are packed for `rows` of y, from the first one's input on. Those that a tap joins lie one after the
  // other: with stride 2 all even ones come before the odd ones.
  int64_t RowsInTurn(int64_t rows) const {
    return (rows - 1) + ((height_.taps - 1) * height_.dilation) / height_.stride + 1;
  }
  int64_t PackedRows(int64_t rows) const { return RowsInTurn(rows) * height_.stride; }
  int64_t PackedRowOf(int64_t row) const {
    return row % height_.stride * RowsInTurn(rows_in_piece_) + row / height_.stride;
  }
  void PackX(const Piece& piece, const StepSources& from) const;
  void PackDy(const Piece& piece, const StepSources& from, int64_t first_y_block, int64_t end_y_block) const;
  const uint16_t* Sampled(const char* x, int64_t row, char* samples) const;
  int64_t PackedXBytes() const { return packed_x_.block * x_blocks_ * width_.taps; }
  int64_t PackedBytes() const { return PackedXBytes() + packed_dy_.block * y_blocks_; }
  int64_t SampleBytes() const { return samples_ ? width_.in * dy_.position : 0; }

  DType dtype_;
  bool is_packed_;
  Axis height_, width_;
  int64_t x_blocks_, y_blocks_;
  // A 1x1 kernel with a stride reads some positions of x alone, which are packed as if there were no others.
  bool samples_ = false;
  int64_t row_stride_ = 1, column_stride_ = 1;  // of the samples
  int64_t joined_rows_ = 1;                     // of y, in a row here
  int64_t images_in_piece_, rows_in_piece_;
  Layout x_, dy_;                // of the images
  Layout packed_x_, packed_dy_;  // of the copies
};

}  // namespace residua::cpu
