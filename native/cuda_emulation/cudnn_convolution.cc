// Convolutions on values in NHWC order. Each tap (r, s) of the filter pairs pixels of x with pixels of y; over those
// pairs, it is a matrix product of channels. All three passes are sums of such products.
#include <cstdint>

#include "cpu/simd.h"
#include "cuda_emulation/cudnn_interpreter.h"

namespace residua::cuda_emulation {
namespace {

struct PixelPair {
  int64_t x, y;  // numbers of pixels
};

// The pairs of tap (r, s) for which the pixel of x is not padding.
std::vector<PixelPair> PairsOf(const Window& window, const Values& x, const Values& y, int64_t r, int64_t s) {
  std::vector<PixelPair> pairs;
  for (int64_t n = 0; n < y.n(); ++n) {
    for (int64_t oh = 0; oh < y.h(); ++oh) {
      const int64_t ih = oh * window.strides[0] - window.before[0] + r * window.dilation[0];
      if (ih < 0 || ih >= x.h()) continue;
      for (int64_t ow = 0; ow < y.w(); ++ow) {
        const int64_t iw = ow * window.strides[1] - window.before[1] + s * window.dilation[1];
        if (iw < 0 || iw >= x.w()) continue;
        pairs.push_back({(n * x.h() + ih) * x.w() + iw, (n * y.h() + oh) * y.w() + ow});
      }
    }
  }
  return pairs;
}

constexpr int64_t kLanes = 16;  // columns of a block: a multiple of every vector length
constexpr int64_t kRows = 4;

// to[i][0..columns) += sum over k of from[i][k] * weights[k][0..columns), for kRows rows.
RESIDUA_INLINE void MultiplyBlock(const float* const* from, int64_t depth, const float* weights, int64_t stride,
                                  int64_t columns, float* const* to) {
  float sums[kRows][kLanes] = {};
  if (columns == kLanes) {
    for (int64_t k = 0; k < depth; ++k) {
      const float* row = weights + k * stride;
      for (int64_t i = 0; i < kRows; ++i) {
        const float value = from[i][k];
        for (int64_t j = 0; j < kLanes; ++j) sums[i][j] += value * row[j];
      }
    }
  } else {
    for (int64_t k = 0; k < depth; ++k) {
      const float* row = weights + k * stride;
      for (int64_t i = 0; i < kRows; ++i) {
        for (int64_t j = 0; j < columns; ++j) sums[i][j] += from[i][k] * row[j];
      }
    }
  }
  for (int64_t i = 0; i < kRows; ++i) {
    for (int64_t j = 0; j < columns; ++j) to[i][j] += sums[i][j];
  }
}

// For each pair: to[pair.to] += from[pair.from] * weights [depth, columns]. `from_x`: from is x and to is y, or the
// other way round. Strides are in floats from pixel to pixel. No two pairs share a `to`.
RESIDUA_SIMD void MultiplyPairs(const PixelPair* pairs, int64_t count, bool from_x, const float* from,
                                int64_t from_stride, int64_t depth, const float* weights, int64_t columns, float* to,
                                int64_t to_stride) {
  float spare[kLanes];
  for (int64_t first = 0; first < count; first += kRows) {
    for (int64_t column = 0; column < columns; column += kLanes) {
      const float* from_rows[kRows];
      float* to_rows[kRows];
      for (int64_t i = 0; i < kRows; ++i) {
        const PixelPair& pair = pairs[first + i < count ? first + i : first];
        from_rows[i] = from + (from_x ? pair.x : pair.y) * from_stride;
        to_rows[i] = first + i < count ? to + (from_x ? pair.y : pair.x) * to_stride + column : spare;
      }
      for (float& value : spare) value = 0;
      const int64_t width = columns - column < kLanes ? columns - column : kLanes;
      MultiplyBlock(from_rows, depth, weights + column, columns, width, to_rows);
    }
  }
}

// weights [rows, columns] += sum over pairs of x[pair.x] (a column) * y[pair.y] (a row).
RESIDUA_SIMD void AddOuterProducts(const PixelPair* pairs, int64_t count, const float* x, int64_t x_stride,
                                   int64_t rows, const float* y, int64_t y_stride, int64_t columns, float* weights) {
  for (int64_t row = 0; row < rows; row += kRows) {
    const int64_t height = rows - row < kRows ? rows - row : kRows;
    for (int64_t column = 0; column < columns; column += kLanes) {
      const int64_t width = columns - column < kLanes ? columns - column : kLanes;
      float sums[kRows][kLanes] = {};
      for (int64_t p = 0; p < count; ++p) {
        const float* x_row = x + pairs[p].x * x_stride + row;
        const float* y_row = y + pairs[p].y * y_stride + column;
        if (height == kRows && width == kLanes) {
          for (int64_t i = 0; i < kRows; ++i) {
            for (int64_t j = 0; j < kLanes; ++j) sums[i][j] += x_row[i] * y_row[j];
          }
        } else {
          for (int64_t i = 0; i < height; ++i) {
            for (int64_t j = 0; j < width; ++j) sums[i][j] += x_row[i] * y_row[j];
          }
        }
      }
      for (int64_t i = 0; i < height; ++i) {
        for (int64_t j = 0; j < width; ++j) weights[(row + i) * columns + column + j] += sums[i][j];
      }
    }
  }
}

// The filter of one group and tap as a matrix, and back. Values of w lie as [k, r, s, c].
class Tap {
 public:
  Tap(const ConvolutionShape& shape, const Values& w, int64_t group, int64_t r, int64_t s)
      : outputs_(w.n() / shape.groups), inputs_(w.c()) {
    const int64_t height = w.h(), width = w.w();
    const int64_t row = shape.flipped ? height - 1 - r : r, column = shape.flipped ? width - 1 - s : s;
    start_ = (group * outputs_ * height + row) * width * inputs_ + column * inputs_;
    stride_ = height * width * inputs_;
  }
  // Element (input channel, output channel) in w.
  size_t At(int64_t c, int64_t k) const { return static_cast<size_t>(start_ + k * stride_ + c); }
  int64_t inputs() const { return inputs_; }
  int64_t outputs() const { return outputs_; }

 private:
  int64_t outputs_, inputs_, start_, stride_;
};

// Calls body(pairs, tap, group) for every tap and group.
template <class Body>
void ForEachTap(const ConvolutionShape& shape, const Values& x, const Values& w, const Values& y, const Body& body) {
  for (int64_t r = 0; r < w.h(); ++r) {
    for (int64_t s = 0; s < w.w(); ++s) {
      const std::vector<PixelPair> pairs = PairsOf(shape.window, x, y, r, s);
      if (pairs.empty()) continue;
      for (int64_t group = 0; group < shape.groups; ++group) body(pairs, Tap(shape, w, group, r, s), group);
    }
  }
}

}  // namespace

void ConvolveForward(const ConvolutionShape& shape, const Values& x, const Values& w, Values* y) {
  std::vector<float> matrix;  // [inputs, outputs]
  ForEachTap(shape, x, w, *y, [&](const std::vector<PixelPair>& pairs, const Tap& tap, int64_t group) {
    const int64_t inputs = tap.inputs(), outputs = tap.outputs();
    matrix.resize(static_cast<size_t>(inputs * outputs));
    for (int64_t c = 0; c < inputs; ++c) {
      for (int64_t k = 0; k < outputs; ++k) matrix[static_cast<size_t>(c * outputs + k)] = w.data[tap.At(c, k)];
    }
    MultiplyPairs(pairs.data(), static_cast<int64_t>(pairs.size()), true, x.data.data() + group * inputs, x.c(), inputs,
                  matrix.data(), outputs, y->data.data() + group * outputs, y->c());
  });
}

void ConvolveBackwardData(const ConvolutionShape& shape, const Values& y, const Values& w, Values* x) {
  std::vector<float> matrix;  // [outputs, inputs]
  ForEachTap(shape, *x, w, y, [&](const std::vector<PixelPair>& pairs, const Tap& tap, int64_t group) {
    const int64_t inputs = tap.inputs(), outputs = tap.outputs();
    matrix.resize(static_cast<size_t>(inputs * outputs));
    for (int64_t k = 0; k < outputs; ++k) {
      for (int64_t c = 0; c < inputs; ++c) matrix[static_cast<size_t>(k * inputs + c)] = w.data[tap.At(c, k)];
    }
    MultiplyPairs(pairs.data(), static_cast<int64_t>(pairs.size()), false, y.data.data() + group * outputs, y.c(),
                  outputs, matrix.data(), inputs, x->data.data() + group * inputs, x->c());
  });
}

void ConvolveBackwardFilter(const ConvolutionShape& shape, const Values& x, const Values& y, Values* w) {
  std::vector<float> matrix;  // [inputs, outputs]
  ForEachTap(shape, x, *w, y, [&](const std::vector<PixelPair>& pairs, const Tap& tap, int64_t group) {
    const int64_t inputs = tap.inputs(), outputs = tap.outputs();
    matrix.assign(static_cast<size_t>(inputs * outputs), 0.0f);
    AddOuterProducts(pairs.data(), static_cast<int64_t>(pairs.size()), x.data.data() + group * inputs, x.c(), inputs,
                     y.data.data() + group * outputs, y.c(), outputs, matrix.data());
    for (int64_t c = 0; c < inputs; ++c) {
      for (int64_t k = 0; k < outputs; ++k) w->data[tap.At(c, k)] = matrix[static_cast<size_t>(c * outputs + k)];
    }
  });
}

}  // namespace residua::cuda_emulation
