// A product of matrices in bfloat16: 6 rows and 4 vectors of columns stay in registers, 24 of the 32, while the summed
// index runs. For each of its steps 10 values are loaded for 24 instructions that multiply.
#include "cpu/bfloat16_product.h"

#include <algorithm>

#include "core/error.h"
#include "cpu/bfloat16_vectors.h"

namespace residua::cpu {

#if defined(RESIDUA_BFLOAT16_VECTORS)

namespace {

constexpr int64_t kVector = 16;  // columns
constexpr int kRows = 6, kVectors = 4;
static_assert(kVectors * kVector == kProductColumns);

RESIDUA_BFLOAT16_INLINE __m512bh PairInAllLanes(const BFloat16* pair) {
  int bits;
  std::memcpy(&bits, pair, sizeof(bits));
  return reinterpret_cast<__m512bh>(_mm512_set1_epi32(bits));
}

// `rows` of c from its `row` on.
template <int rows, int vectors>
RESIDUA_BFLOAT16_TARGET void MultiplyRows(const BFloat16Product& p, int64_t row) {
  float* c = p.c + row * p.c_row;
  __m512 sums[rows][vectors];
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      sums[r][v] = p.adds ? _mm512_loadu_ps(c + r * p.c_row + v * kVector) : _mm512_setzero_ps();
    }
  }
  const BFloat16 *a = p.a + row * p.a_row, *b = p.b;
  for (int64_t pair = 0; pair < p.pairs; ++pair, a += p.a_pair, b += 2 * kVector * vectors) {
    __m512bh of_b[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      of_b[v] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + 2 * kVector * v));
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; ++r) {
      const __m512bh of_a = PairInAllLanes(a + r * p.a_row);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sums[r][v] = _mm512_dpbf16_ps(sums[r][v], of_a, of_b[v]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) _mm512_storeu_ps(c + r * p.c_row + v * kVector, sums[r][v]);
  }
}

using RowsKernel = void (*)(const BFloat16Product& product, int64_t row);

template <int vectors>
void MultiplyBy(const BFloat16Product& p) {
  static constexpr RowsKernel kKernels[kRows] = {MultiplyRows<1, vectors>, MultiplyRows<2, vectors>,
                                                 MultiplyRows<3, vectors>, MultiplyRows<4, vectors>,
                                                 MultiplyRows<5, vectors>, MultiplyRows<6, vectors>};
  for (int64_t row = 0; row < p.rows; row += kRows) kKernels[std::min<int64_t>(kRows, p.rows - row) - 1](p, row);
}

}  // namespace

void Multiply(const BFloat16Product& product) {
  static constexpr void (*kByVectors[kVectors])(const BFloat16Product&) = {MultiplyBy<1>, MultiplyBy<2>, MultiplyBy<3>,
                                                                           MultiplyBy<4>};
  kByVectors[product.columns / kVector - 1](product);
}

#else

void Multiply(const BFloat16Product&) {
  throw Error(ErrorCode::kNative, "A product of bfloat16 matrices needs AVX512-BF16.");
}

#endif

}  // namespace residua::cpu
