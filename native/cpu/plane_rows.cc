// Rows of x's planes and of dy as the outer products' kernel reads them.
#include "cpu/plane_rows.h"

#include <algorithm>
#include <cstring>

#include "cpu/rounding.h"
#include "cpu/simd.h"

namespace residua::cpu {
namespace {

constexpr int64_t kSteps = 256;  // two blocks of dy, 32 KB, stay in the first-level cache
constexpr int64_t kMostLanes = 8;

// A row of x as it is copied: numbers `begin` to `end` are x's from `from` on, the others 0.
struct CopiedRow {
  const char* from;
  int64_t begin, end, width;
};

void CopyFloats(const CopiedRow& row, float* to) {
  std::fill(to, to + row.begin, 0.0f);
  std::memcpy(to + row.begin, row.from, static_cast<size_t>(row.end - row.begin) * sizeof(float));
  std::fill(to + row.end, to + row.width, 0.0f);
}

// The first number of each pair in the lower half, the second one from `stride` numbers on.
RESIDUA_SIMD void CopyPairs(const uint16_t* __restrict from, int64_t begin, int64_t end, int64_t width, int64_t stride,
                            uint32_t* __restrict to) {
  for (int64_t i = 0; i < width; ++i) to[i] = 0;
  for (int64_t i = begin; i < end; ++i) to[i] = from[i - begin];
  const int64_t first = std::max<int64_t>(begin - stride, 0), shift = stride - begin;
  for (int64_t i = first; i < end - stride; ++i) to[i] |= static_cast<uint32_t>(from[i + shift]) << 16;
}

}  // namespace

PlaneRows::Axis::Axis(const ConvGeometry& g, size_t axis)
    : in(g.x[2 + axis]), out(g.y[2 + axis]), taps(g.w[2 + axis]), stride(g.strides[axis]), padding(g.padding[axis]) {}

PlaneRows::PlaneRows(const ConvGeometry& g, DType dtype)
    : dtype_(dtype),
      size_(static_cast<int64_t>(SizeOf(dtype))),
      positions_in_step_(PositionsInStep(dtype)),
      images_(g.x[0]),
      channels_(g.x[1]),
      y_blocks_(CeilDivide(g.y[1], kVector)),
      height_(g, 0),
      width_(g, 1),
      row_gap_(g.dilation[0] + 1),
      rows_in_piece_(std::clamp<int64_t>(kSteps / StepsOfRow(), 1, height_.out)),
      pieces_of_image_(CeilDivide(height_.out, rows_in_piece_)),
      copied_width_((StepsOfRow() - 1) * positions_in_step_ * width_.stride + width_.taps + kMostLanes) {}

PlanePiece PlaneRows::PieceAt(int64_t index) const {
  const int64_t row = index % pieces_of_image_ * rows_in_piece_;
  return {index / pieces_of_image_, row, std::min(rows_in_piece_, height_.out - row)};
}

size_t PlaneRows::copied_bytes() const {
  const int64_t x = RoundUp(CopiedXBytes(), kVectorBytes);
  const int64_t dy = positions_in_step_ == 1 ? 0 : y_blocks_ * rows_in_piece_ * StepsOfRow() * kVectorBytes;
  return static_cast<size_t>(x + dy);
}

void PlaneRows::Copy(const PlanePiece& piece, const PlaneSources& from) const {
  const int64_t first = piece.first_row * height_.stride - height_.padding;
  const int64_t reach = (width_.out - 1) * width_.stride + width_.taps;  // what lies beyond no tap reads
  const int64_t begin = width_.padding, end = std::max(std::min(begin + width_.in, reach), begin);
  for (int64_t channel = 0; channel < channels_; ++channel) {
    const char* plane = from.x + (piece.image * channels_ + channel) * height_.in * width_.in * size_;
    char* copy = from.copies + channel * RowsOfX(rows_in_piece_) * copied_width_ * 4;
    for (int64_t i = 0; i < RowsOfX(piece.rows); ++i) {
      char* to = copy + i * copied_width_ * 4;
      const int64_t row = first + i;
      if (row < 0 || row >= height_.in) {
        std::memset(to, 0, static_cast<size_t>(copied_width_ * 4));
        continue;
      }
      const char* at = plane + row * width_.in * size_;
      if (dtype_ == DType::kFloat32) {
        CopyFloats({at, begin, end, copied_width_}, reinterpret_cast<float*>(to));
      } else {
        CopyPairs(reinterpret_cast<const uint16_t*>(at), begin, end, copied_width_, width_.stride,
                  reinterpret_cast<uint32_t*>(to));
      }
    }
  }
  if (positions_in_step_ == 1) return;
  for (int64_t block = 0; block < y_blocks_; ++block) {
    const char* dy = BlockOfDy(piece, from.dy, block);
    char* to = const_cast<char*>(DySteps(piece, from, block).at);
    for (int64_t row = 0; row < piece.rows; ++row, dy += DyRowBytes(), to += StepsOfRow() * kVectorBytes) {
      PackPairs({reinterpret_cast<const uint16_t*>(dy), width_.out, 0, 1, width_.out}, to);
    }
  }
}

const char* PlaneRows::BlockOfDy(const PlanePiece& piece, const char* dy, int64_t y_block) const {
  return dy + ((piece.image * y_blocks_ + y_block) * height_.out + piece.first_row) * DyRowBytes();
}

StepAddresses PlaneRows::DySteps(const PlanePiece& piece, const PlaneSources& from, int64_t y_block) const {
  const int64_t row = StepsOfRow() * kVectorBytes;
  if (positions_in_step_ == 1) return {BlockOfDy(piece, from.dy, y_block), 0, row, kVectorBytes};
  const int64_t x = RoundUp(CopiedXBytes(), kVectorBytes);
  return {from.copies + x + y_block * rows_in_piece_ * row, 0, row, kVectorBytes};
}

OuterProduct PlaneRows::Product(const PlanePiece& piece, const PlaneSources& from, int64_t channel, int64_t kernel_row,
                                int64_t lane, int64_t y_block) const {
  const int64_t row = copied_width_ * 4;
  OuterProduct product = {};
  product.box = {1, piece.rows, StepsOfRow()};
  product.a = {from.copies + (channel * RowsOfX(rows_in_piece_) + kernel_row * row_gap_) * row + lane * 4, 0,
               height_.stride * row, positions_in_step_ * width_.stride * 4};
  product.b = DySteps(piece, from, y_block);
  product.b_vector = positions_in_step_ == 1 ? height_.out * DyRowBytes() : rows_in_piece_ * product.b.row;
  return product;
}

OuterProduct PlaneRows::Sum(const PlanePiece& piece, const PlaneSources& from, int64_t y_block) const {
  OuterProduct product = Product(piece, from, 0, 0, 0, y_block);
  product.a = {LaneOfOnes(dtype_), 0, 0, 0};
  return product;
}

}  // namespace residua::cpu
