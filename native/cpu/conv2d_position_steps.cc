// The positions that a convolution's taps join, as steps of the outer products' kernel.
#include "cpu/conv2d_position_steps.h"

#include <algorithm>

namespace residua::cpu {
namespace {

constexpr int64_t kSteps = 224;  // a block of x's channels and two of dy's, 42 KB, stay in the first-level cache

// Numbers that are 1 in the type, as many as a lane of a step has.
constexpr float kFloatOne = 1.0f;
constexpr uint16_t kBFloat16Ones[] = {0x3f80, 0x3f80};

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
  JoinRows();
  rows_in_piece_ = std::clamp<int64_t>(kSteps / StepsOfRow(), 1, height_.out);
  images_in_piece_ = std::clamp<int64_t>(kSteps / (StepsOfRow() * height_.out), 1, g.x[0]);
  const int64_t position = kVector * static_cast<int64_t>(SizeOf(dtype));
  const auto image_layout = [&](int64_t blocks, int64_t height, int64_t width) {
    return Layout{height * width * position, blocks * height * width * position, width * position, position};
  };
  x_ = image_layout(x_blocks_, height_.in, width_.in);
  dy_ = image_layout(y_blocks_, height_.out, width_.out);
  const auto packed_layout = [&](int64_t rows) {
    const int64_t row = StepsOfRow() * kVectorBytes;
    return Layout{images_in_piece_ * rows * row, rows * row, row, kVectorBytes};
  };
  packed_x_ = packed_layout(PackedRows(rows_in_piece_));
  packed_dy_ = packed_layout(rows_in_piece_);
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
}

size_t PositionSteps::packed_bytes() const {
  if (!is_packed_) return 0;
  return static_cast<size_t>(PackedXBytes() + packed_dy_.block * y_blocks_);
}

void PositionSteps::Pack(const Piece& piece, const StepSources& from, int64_t first_y_block,
                         int64_t end_y_block) const {
  if (!is_packed_) return;
  const auto row_at = [](const char* images, const Layout& layout, int64_t block, int64_t image, int64_t row) {
    return images + block * layout.block + image * layout.image + row * layout.row;
  };
  char* to_x = from.packed;
  char* to_dy = from.packed + PackedXBytes();
  for (int64_t n = 0; n < piece.images; ++n) {
    for (int64_t packed_row = 0; packed_row < PackedRows(piece.rows); ++packed_row) {
      const int64_t row = FirstPackedRow(piece) + packed_row * PackedRowStep();
      if (row < 0 || row >= height_.in) continue;  // no product reads it
      for (int64_t block = 0; block < x_blocks_; ++block) {
        const char* x = row_at(from.x, x_, block, piece.first_image + n, row);
        for (int64_t tap = 0; tap < width_.taps; ++tap) {
          char* to = to_x + (tap * x_blocks_ + block) * packed_x_.block + n * packed_x_.image;
          PackPairs({reinterpret_cast<const uint16_t*>(x), width_.in, width_.Input(0, tap), width_.stride, width_.out},
                    to + packed_row * packed_x_.row);
        }
      }
    }
    for (int64_t block = first_y_block; block < end_y_block; ++block) {
      for (int64_t row = 0; row < piece.rows; ++row) {
        const char* dy = row_at(from.dy, dy_, block, piece.first_image + n, piece.first_row + row);
        char* to = to_dy + (block - first_y_block) * packed_dy_.block + n * packed_dy_.image + row * packed_dy_.row;
        PackPairs({reinterpret_cast<const uint16_t*>(dy), width_.out, 0, 1, width_.out}, to);
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
    const int64_t packed_row = (height_.Input(row, row_tap) - FirstPackedRow(piece)) / PackedRowStep();
    const char* copy = from.packed + (column_tap * x_blocks_ + x_block) * packed_x_.block;
    product.box = {piece.images, end_row - row, StepsOfRow()};
    product.a = {copy + packed_row * packed_x_.row, packed_x_.image, height_.stride / PackedRowStep() * packed_x_.row,
                 packed_x_.position};
    const char* dy = from.packed + PackedXBytes();
    product.b = {dy + (y_block - first_y_block) * packed_dy_.block + (row - piece.first_row) * packed_dy_.row,
                 packed_dy_.image, packed_dy_.row, packed_dy_.position};
    product.b_vector = packed_dy_.block;
    // Rows follow each other without a gap: one long row. (Those ahead do so only where none of x is left out.)
    if (height_.stride == 1) product.box = {piece.images, 1, product.box.rows * StepsOfRow()};
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

int64_t PositionSteps::LinesOfX() const { return is_packed_ && width_.stride > 1 ? 2 : 1; }
int64_t PositionSteps::RowsOfX() const { return height_.taps > 1 ? height_.stride : 1; }

StepAddresses PositionSteps::XAhead(const Piece& piece, const char* x, int64_t index) const {
  const int64_t block = index % x_blocks_, line = index / x_blocks_ % LinesOfX();
  const int64_t row =
      std::clamp<int64_t>(height_.Input(piece.first_row, 0) + index / (x_blocks_ * LinesOfX()), 0, height_.in - 1);
  const int64_t step = PositionsInStep(dtype_) * width_.stride * x_.position;
  return {x + piece.first_image * x_.image + block * x_.block + row * x_.row + line * step / 2, x_.image,
          height_.stride * x_.row, step};
}

StepAddresses PositionSteps::DyAhead(const Piece& piece, const char* dy, int64_t block) const {
  return {dy + piece.first_image * dy_.image + block * dy_.block + piece.first_row * dy_.row, dy_.image, dy_.row,
          PositionsInStep(dtype_) * dy_.position};
}

OuterProduct PositionSteps::Sum(const Piece& piece, const StepSources& from, int64_t y_block,
                                int64_t first_y_block) const {
  OuterProduct product = {};
  const char* one =
      is_packed_ ? reinterpret_cast<const char*>(kBFloat16Ones) : reinterpret_cast<const char*>(&kFloatOne);
  product.box = {piece.images, piece.rows, StepsOfRow()};
  product.a = {one, 0, 0, 0};
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
