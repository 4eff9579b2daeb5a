// The product of two matrices in blocks that fit the caches: parts of a and b are packed as float panels, a small
// kernel multiplies panels into a tile of sums, and the tile is scaled, biased and stored at the end.
#include "cuda_emulation/host_gemm.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "cpu/simd.h"
#include "cuda_bf16.h"
#include "cuda_fp16.h"

namespace residua::cuda_emulation {
namespace {

// The small kernel computes kPanelRows x kPanelColumns sums in registers.
constexpr int64_t kPanelRows = 16, kPanelColumns = 6;
// What is packed at a time: of a, rows x terms; of b, terms x columns.
constexpr int64_t kBlockRows = 128, kBlockTerms = 256, kBlockColumns = 192;
static_assert(kBlockRows % kPanelRows == 0 && kBlockColumns % kPanelColumns == 0);

using PanelColumn = float __attribute__((vector_size(kPanelRows * sizeof(float)), aligned(4), may_alias));

struct Buffers {
  std::vector<float> a = std::vector<float>(kBlockRows * kBlockTerms);
  std::vector<float> b = std::vector<float>(kBlockTerms * kBlockColumns);
  std::vector<float> sums = std::vector<float>(kBlockRows * kBlockColumns);  // [columns, rows]
};

// To the nearest number with 10 bits of fraction, ties away from zero.
float RoundToTf32(float value) {
  const unsigned bits = BitCast<unsigned>(value);
  if ((bits & 0x7f800000u) == 0x7f800000u) return value;  // infinity, NaN
  return BitCast<float>((bits + 0x1000u) & ~0x1fffu);
}

template <class T>
float LoadAs(const void* data, int64_t at) {
  return static_cast<float>(static_cast<const T*>(data)[at]);
}

// Calls body with a function that loads element `at` of `data` as float.
template <class Body>
void WithLoad(const MatrixView& view, bool round_to_tf32, const Body& body) {
  const void* data = view.data;
  if (view.type == CUDA_R_16BF) return body([data](int64_t at) { return LoadAs<__nv_bfloat16>(data, at); });
  if (view.type == CUDA_R_16F) return body([data](int64_t at) { return LoadAs<__half>(data, at); });
  if (round_to_tf32) return body([data](int64_t at) { return RoundToTf32(LoadAs<float>(data, at)); });
  body([data](int64_t at) { return LoadAs<float>(data, at); });
}

// Packs lines x terms elements as panels [panel][term][line in the panel], filled up with zeros. A line is a row of a
// or a column of b.
void Pack(const MatrixView& view, int64_t line_stride, int64_t term_stride, int64_t first_line, int64_t lines,
          int64_t first_term, int64_t terms, int64_t panel_lines, bool round_to_tf32, float* packed) {
  WithLoad(view, round_to_tf32, [&](const auto& load) {
    for (int64_t begin = 0; begin < lines; begin += panel_lines) {
      const int64_t count = std::min(panel_lines, lines - begin);
      for (int64_t term = 0; term < terms; ++term) {
        const int64_t at = (first_line + begin) * line_stride + (first_term + term) * term_stride;
        for (int64_t line = 0; line < count; ++line) packed[line] = load(at + line * line_stride);
        for (int64_t line = count; line < panel_lines; ++line) packed[line] = 0;
        packed += panel_lines;
      }
    }
  });
}

// sums[column][row] += a[term][row] * b[term][column]; columns of sums are kBlockRows apart.
RESIDUA_INLINE void MultiplyPanels(const float* a, const float* b, int64_t terms, float* sums) {
  PanelColumn columns[kPanelColumns] = {};
  for (int64_t term = 0; term < terms; ++term) {
    const PanelColumn rows = *reinterpret_cast<const PanelColumn*>(a + term * kPanelRows);
    for (int64_t column = 0; column < kPanelColumns; ++column) {
      columns[column] += rows * b[term * kPanelColumns + column];
    }
  }
  for (int64_t column = 0; column < kPanelColumns; ++column) {
    *reinterpret_cast<PanelColumn*>(sums + column * kBlockRows) += columns[column];
  }
}

RESIDUA_SIMD void MultiplyBlock(const float* a, const float* b, int64_t rows, int64_t columns, int64_t terms,
                                float* sums) {
  for (int64_t column = 0; column < columns; column += kPanelColumns) {
    for (int64_t row = 0; row < rows; row += kPanelRows) {
      MultiplyPanels(a + row * terms, b + column * terms, terms, sums + column * kBlockRows + row);
    }
  }
}

void StoreFloat(cudaDataType type, void* data, int64_t at, float value) {
  if (type == CUDA_R_16BF) {
    static_cast<__nv_bfloat16*>(data)[at] = __float2bfloat16(value);
  } else if (type == CUDA_R_16F) {
    static_cast<__half*>(data)[at] = __float2half(value);
  } else {
    static_cast<float*>(data)[at] = value;
  }
}

float LoadFloat(cudaDataType type, const void* data, int64_t at) {
  if (type == CUDA_R_16BF) return LoadAs<__nv_bfloat16>(data, at);
  if (type == CUDA_R_16F) return LoadAs<__half>(data, at);
  return LoadAs<float>(data, at);
}

void StoreBlock(const float* sums, int64_t first_row, int64_t rows, int64_t first_column, int64_t columns,
                const MatrixView& c_in, const MatrixView& c, const GemmEpilogue& epilogue) {
  for (int64_t j = 0; j < columns; ++j) {
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t row = first_row + i, column = first_column + j;
      float value = epilogue.alpha * sums[j * kBlockRows + i];
      if (epilogue.beta != 0) {
        value += epilogue.beta * LoadFloat(c_in.type, c_in.data, row * c_in.row_stride + column * c_in.column_stride);
      }
      if (epilogue.row_bias != nullptr) value += LoadFloat(c.type, epilogue.row_bias, row);
      if (epilogue.relu && value < 0) value = 0;
      StoreFloat(c.type, c.data, row * c.row_stride + column * c.column_stride, value);
    }
  }
}

}  // namespace

void HostGemm(int64_t m, int64_t n, int64_t k, const MatrixView& a, const MatrixView& b, const MatrixView& c_in,
              const MatrixView& c, const GemmEpilogue& epilogue) {
  Buffers buffers;
  for (int64_t column = 0; column < n; column += kBlockColumns) {
    const int64_t columns = std::min(kBlockColumns, n - column);
    for (int64_t row = 0; row < m; row += kBlockRows) {
      const int64_t rows = std::min(kBlockRows, m - row);
      std::fill(buffers.sums.begin(), buffers.sums.end(), 0.0f);
      for (int64_t term = 0; term < k; term += kBlockTerms) {
        const int64_t terms = std::min(kBlockTerms, k - term);
        Pack(a, a.row_stride, a.column_stride, row, rows, term, terms, kPanelRows, epilogue.round_to_tf32,
             buffers.a.data());
        Pack(b, b.column_stride, b.row_stride, column, columns, term, terms, kPanelColumns, epilogue.round_to_tf32,
             buffers.b.data());
        MultiplyBlock(buffers.a.data(), buffers.b.data(), rows, columns, terms, buffers.sums.data());
      }
      StoreBlock(buffers.sums.data(), row, rows, column, columns, c_in, c, epilogue);
    }
  }
}

}  // namespace residua::cuda_emulation
