// The positions that a convolution's taps join, as steps of the outer products' kernel.
#include "cpu/conv2d_position_steps.h"

#include <algorithm>
#include <cstring>

namespace residua::cpu {
namespace {

constexpr int64_t kSteps = 112;  // a block of x's channels and four of dy's, 35 KB, stay in the first-level cache

int64_t Blocks(int64_t channels) { return (channels + kVector - 1) / kVector; }

}  // namespace

PositionSteps::Axis::Axis(const ConvGeometry& g, size_t axis)
    : in(g.x[2 + axis]),
      out(g.y[2 + axis]),
      taps(g.w[2 + axis]),
      stride(g.strides[axis]),
      dilation(g.dilation[axis] + 1),
      padding(g.padding[axis]) {}

// The part of [begin, end) in y that the tap joins to x, not to padding.
std::pair<int64_t, int64_t> PositionSteps::Axis::Joined(int64_t tap, int64_t begin, int64_t end) const {
  while (begin < end && Input(begin, tap) < 0) ++begin;
  while (end > begin && Input(end - 1, tap) >= in) --end;
  return {begin, end};
}

PositionSteps::PositionSteps(const ConvGeometry& g, DType dtype)
    : dtype_(dtype),
      is_packed_(dtype == DType::kBFloat16),
      height_(g, 0),
      width_(g, 1),
      x_blocks_(Blocks(g.x[1])),
      y_blocks_(Blocks(g.y[1])) {
  const int64_t position = kVector * static_cast<int64_t>(SizeOf(dtype));
  const auto image_layout = [&](int64_t blocks, int64_t height, int64_t width) {
    return Layout{height * width * position, blocks * height * width * position, width * position, position};
  };
  SampleX();
  JoinRows();
  rows_in_piece_ = std::clamp<int64_t>(kSteps / StepsOfRow(), 1, height_.out);
  images_in_piece_ = std::clamp<int64_t>(kSteps / (StepsOfRow() * height_.out), 1, g.x[0]);
  x_ = samples_ ? image_layout(x_blocks_, g.x[2], g.x[3]) : image_layout(x_blocks_, height_.in, width_.in);
  dy_ = image_layout(y_blocks_, height_.out, width_.out);
  const auto packed_layout = [&](int64_t rows) {
    const int64_t row = StepsOfRow() * kVectorBytes;
    return Layout{images_in_piece_ * rows * row, rows * row, row, kVectorBytes};
  };
  packed_x_ = packed_layout(PackedRows(rows_in_piece_));
  packed_dy_ = packed_layout(rows_in_piece_);
}

void PositionSteps::SampleX() {
  const auto is_sampled = [](const Axis& axis) { return axis.taps == 1 && axis.padding == 0; };
  samples_ = is_packed_ && is_sampled(height_) && is_sampled(width_) && height_.stride * width_.stride > 1;
  if (!samples_) return;
  for (Axis* axis : {&height_, &width_}) {
    (axis == &height_ ? row_stride_ : column_stride_) = axis->stride;
    axis->in = axis->out;
    axis->stride = 1;
  }
}

// Where each position is joined to itself alone, rows are joined to longer ones.
void PositionSteps::JoinRows() {
  if (!height_.JoinsEachToItself() || !width_.JoinsEachToItself()) return;
  int64_t rows = 1;
  for (int64_t n = 2; n <= height_.out; ++n) {
    if (height_.out % n == 0 && n * width_.out <= kSteps * PositionsInStep(dtype_)) rows = n;
  }
  height_.in = height_.out = height_.out / rows;
  width_.in = width_.out = width_.out * rows;
  joined_rows_ = rows;
}

size_t PositionSteps::packed_bytes() const {
  return is_packed_ ? static_cast<size_t>(PackedBytes() + SampleBytes()) : 0;
}

void PositionSteps::Pack(const Piece& piece, const StepSources& from, int64_t first_y_block,
                         int64_t end_y_block) const {
  if (!is_packed_) return;
  PackX(piece, from);
  PackDy(piece, from, first_y_block, end_y_block);
}

void PositionSteps::PackX(const Piece& piece, const StepSources& from) const {
  const int64_t first_row = height_.Input(piece.first_row, 0);
  for (int64_t n = 0; n < piece.images; ++n) {
    for (int64_t block = 0; block < x_blocks_; ++block) {
      const char* x = from.x + block * x_.block + (piece.first_image + n) * x_.image;
      for (int64_t i = 0; i < PackedRows(piece.rows); ++i) {
        const int64_t row = first_row + i;
        if (row < 0 || row >= height_.in) continue;  // no product reads it
        const uint16_t* of_row = samples_ ? Sampled(x, row, from.packed + PackedBytes())
                                          : reinterpret_cast<const uint16_t*>(x + row * x_.row);
        for (int64_t tap = 0; tap < width_.taps; ++tap) {
          char* to = from.packed + (tap * x_blocks_ + block) * packed_x_.block + n * packed_x_.image;
          PackPairs({of_row, width_.in, width_.Input(0, tap), width_.stride, width_.out},
                    to + PackedRowOf(i) * packed_x_.row);
        }
      }
    }
  }
}

// Copies those positions of x [height, width, 16] that the row is made of.
const uint16_t* PositionSteps::Sampled(const char* x, int64_t row, char* samples) const {
  const int64_t columns = width_.in / joined_rows_;
  char* to = samples;
  for (int64_t i = 0; i < joined_rows_; ++i) {
    const char* at = x + (row * joined_rows_ + i) * row_stride_ * x_.row;
    for (int64_t column = 0; column < columns; ++column, to += x_.position) {
      std::memcpy(to, at + column * column_stride_ * x_.position, kVector * sizeof(uint16_t));
    }
  }
  return reinterpret_cast<const uint16_t*>(samples);
}

void PositionSteps::PackDy(const Piece& piece, const StepSources& from, int64_t first_y_block,
                           int64_t end_y_block) const {
  for (int64_t n = 0; n < piece.images; ++n) {
    for (int64_t block = first_y_block; block < end_y_block; ++block) {
      const char* dy = from.dy + block * dy_.block + (piece.first_image + n) * dy_.image + piece.first_row * dy_.row;
      char* to = from.packed + PackedXBytes() + (block - first_y_block) * packed_dy_.block + n * packed_dy_.image;
      for (int64_t row = 0; row < piece.rows; ++row) {
        const auto* of_row = reinterpret_cast<const uint16_t*>(dy + row * dy_.row);
        PackPairs({of_row, width_.out, 0, 1, width_.out}, to + row * packed_dy_.row);
      }
    }
  }
}

OuterProduct PositionSteps::Product(const Piece& piece, const StepSources& from, int64_t tap, int64_t x_block,
                                    int64_t y_block, int64_t first_y_block) const {
  const int64_t row_tap = tap / width_.taps, column_tap = tap % width_.taps;
  const auto [row, end_row] = height_.Joined(row_tap, piece.first_row, piece.first_row + piece.rows);
  OuterProduct product = {};
  if (is_packed_) {
    const int64_t packed_row = PackedRowOf(height_.Input(row, row_tap) - height_.Input(piece.first_row, 0));
    const char* copy = from.packed + (column_tap * x_blocks_ + x_block) * packed_x_.block;
    product.a = {copy + packed_row * packed_x_.row, packed_x_.image, 0, packed_x_.position};
    const char* dy = from.packed + PackedXBytes();
    product.b = {dy + (y_block - first_y_block) * packed_dy_.block + (row - piece.first_row) * packed_dy_.row,
                 packed_dy_.image, 0, packed_dy_.position};
    product.b_vector = packed_dy_.block;
    // Rows follow each other without a gap, as images do where all rows are joined: one long row.
    const int64_t steps = (end_row - row) * StepsOfRow();
    const bool is_whole = steps * kVectorBytes == packed_x_.image && steps * kVectorBytes == packed_dy_.image;
    product.box = is_whole ? StepBox{1, 1, piece.images * steps} : StepBox{piece.images, 1, steps};
    return product;
  }
  const auto [column, end_column] = width_.Joined(column_tap, 0, width_.out);
  product.box = {piece.images, end_row - row, end_column - column};
  product.a = {from.x + piece.first_image * x_.image + x_block * x_.block + height_.Input(row, row_tap) * x_.row +
                   width_.Input(column, column_tap) * x_.position,
               x_.image, height_.stride * x_.row, width_.stride * x_.position};
  product.b = {from.dy + piece.first_image * dy_.image + y_block * dy_.block + row * dy_.row + column * dy_.position,
               dy_.image, dy_.row, dy_.position};
  product.b_vector = dy_.block;
  return product;
}

PositionSteps::Rows PositionSteps::RowsOfX(const Piece& piece) const {
  const int64_t end = piece.first_row + piece.rows;
  if (samples_) return {piece.first_row * joined_rows_ * row_stride_, ((end * joined_rows_) - 1) * row_stride_ + 1};
  return {std::max<int64_t>(height_.Input(piece.first_row, 0), 0),
          std::min(height_.Input(end - 1, height_.taps - 1) + 1, height_.in)};
}

const char* PositionSteps::Ahead(const Piece& piece, const StepSources& from, int64_t first_y_block,
                                 int64_t end_y_block, int64_t part) const {
  const char* dy = from.dy + piece.first_image * dy_.image + first_y_block * dy_.block + piece.first_row * dy_.row;
  if (const char* at = Part(dy, dy_, piece.images, end_y_block - first_y_block, piece.rows, &part)) return at;
  const Rows rows = RowsOfX(piece);
  const char* x = from.x + piece.first_image * x_.image + rows.begin * x_.row;
  return Part(x, x_, piece.images, x_blocks_, rows.end - rows.begin, &part);
}

// Of the rows in all blocks and images. Null where these have no such part, and `part` is less by theirs.
const char* PositionSteps::Part(const char* at, const Layout& layout, int64_t images, int64_t blocks, int64_t rows,
                                int64_t* part) const {
  int64_t bytes = rows * layout.row;
  if (bytes == layout.block) {  // whole images, whose blocks follow each other
    bytes *= blocks;
    blocks = 1;
  }
  const int64_t part_bytes = StepsOfPiece() * kVectorBytes;
  const int64_t parts = (bytes + part_bytes - 1) / part_bytes, run = *part / parts;
  if (run < images * blocks) {
    return at + run / blocks * layout.image + run % blocks * layout.block + *part % parts * part_bytes;
  }
  *part -= images * blocks * parts;
  return nullptr;
}

OuterProduct PositionSteps::Sum(const Piece& piece, const StepSources& from, int64_t y_block,
                                int64_t first_y_block) const {
  OuterProduct product = {};
  product.box = {piece.images, piece.rows, StepsOfRow()};
  product.a = {LaneOfOnes(dtype_), 0, 0, 0};
  if (is_packed_) {
    const char* dy = from.packed + PackedXBytes();
    product.b = {dy + (y_block - first_y_block) * packed_dy_.block, packed_dy_.image, packed_dy_.row,
                 packed_dy_.position};
  } else {
    product.b = {from.dy + piece.first_image * dy_.image + y_block * dy_.block + piece.first_row * dy_.row, dy_.image,
                 dy_.row, dy_.position};
  }
  return product;
}

}  // namespace residua::cpu
