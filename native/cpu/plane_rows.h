// Rows of x's planes and of dy as the outer products' kernel reads them, where the taps of a row of the kernel are the
// lanes: lane k of position i of y is x[i * stride + k].
#pragma once
#include "cpu/conv2d_geometry.h"
#include "cpu/outer_products.h"

namespace residua::cpu {

// Some rows of y in one image.
struct PlanePiece {
  int64_t image, first_row, rows;
};

// x [n, c, h, w] plain, dy in blocks of channels (nChw16c), and the thread's memory for copies of a piece.
struct PlaneSources {
  const char *x, *dy;
  char* copies;
};

// The rows of x that a piece reads are copied with their padding. In bfloat16 a number of the copy is a pair, as the
// instruction takes them: x[j] and x[j + stride], for two neighbours in y. dy is copied in bfloat16 alone.
class PlaneRows {
 public:
  PlaneRows(const ConvGeometry& geometry, DType dtype);

  int64_t pieces() const { return images_ * pieces_of_image_; }
  PlanePiece PieceAt(int64_t index) const;
  int64_t y_blocks() const { return y_blocks_; }

  size_t copied_bytes() const;
  void Copy(const PlanePiece& piece, const PlaneSources& from) const;
  // The product of a row of the kernel, from tap `lane` on, with y's blocks of channels from `y_block` on. The result's
  // place is left open.
  OuterProduct Product(const PlanePiece& piece, const PlaneSources& from, int64_t channel, int64_t kernel_row,
                       int64_t lane, int64_t y_block) const;
  // The product of ones, which is dy's sum.
  OuterProduct Sum(const PlanePiece& piece, const PlaneSources& from, int64_t y_block) const;
  // A block of dy in a piece, which has as many cache lines as a product has steps.
  const char* BlockOfDy(const PlanePiece& piece, const char* dy, int64_t y_block) const;

 private:
  int64_t StepsOfRow() const { return (width_.out + positions_in_step_ - 1) / positions_in_step_; }
  // That so many rows of y read.
  int64_t RowsOfX(int64_t rows) const { return (rows - 1) * height_.stride + (height_.taps - 1) * row_gap_ + 1; }
  int64_t CopiedXBytes() const { return channels_ * RowsOfX(rows_in_piece_) * copied_width_ * 4; }
  int64_t DyRowBytes() const { return width_.out * kVector * size_; }
  StepAddresses DySteps(const PlanePiece& piece, const PlaneSources& from, int64_t y_block) const;

  struct Axis {
    int64_t in, out, taps, stride, padding;
    Axis(const ConvGeometry& geometry, size_t axis);
  };

  DType dtype_;
  int64_t size_, positions_in_step_;
  int64_t images_, channels_, y_blocks_;
  Axis height_, width_;
  int64_t row_gap_;  // rows from tap to tap
  int64_t rows_in_piece_, pieces_of_image_;
  int64_t copied_width_;  // numbers of 4 bytes
};

}  // namespace residua::cpu
