// Sums of products for some pixels by AVX-512 instructions: with 6 pixels and 4 vectors in 24 of 32 registers, a step
// loads 10 values for 24 instructions that multiply.
#include "cpu/pixel_products.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "cpu/bfloat16_vectors.h"

namespace residua::cpu {

#if defined(RESIDUA_BFLOAT16_VECTORS)

namespace {

constexpr int64_t kPixels = 6;

// The 4 bytes in all lanes.
RESIDUA_BFLOAT16_INLINE __m512 InAllLanes(const char* from) {
  float value;
  std::memcpy(&value, from, sizeof(value));
  return _mm512_set1_ps(value);
}

template <DType dtype>
RESIDUA_BFLOAT16_INLINE __m512 Load(const char* from) {
  if constexpr (dtype == DType::kBFloat16) {
    return LoadSixteen(reinterpret_cast<const BFloat16*>(from));
  } else {
    return _mm512_loadu_ps(from);
  }
}

template <DType dtype>
RESIDUA_BFLOAT16_INLINE void StoreResult(const PixelProduct& p, __m512 values, char* to) {
  if (p.adds_to_out) values = _mm512_add_ps(values, Load<dtype>(to));
  if (p.relu) values = _mm512_max_ps(_mm512_setzero_ps(), values);  // the second where either is NaN
  if constexpr (dtype == DType::kBFloat16) {
    StoreSixteen(values, reinterpret_cast<BFloat16*>(to));
  } else {
    _mm512_storeu_ps(to, values);
  }
}

// `pixels` of the product from `first` on.
template <DType dtype, int pixels, int vectors>
RESIDUA_BFLOAT16_TARGET void Multiply(const PixelProduct& p, int64_t first) {
  const char* a[pixels];
  float* held = p.sums + first * kPixelVector;
  __m512 sums[pixels][vectors];
#pragma GCC unroll 6
  for (int i = 0; i < pixels; ++i) {
    a[i] = p.a + p.a_pixels[first + i];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      sums[i][v] = _mm512_setzero_ps();
      if (p.bias) sums[i][v] = _mm512_loadu_ps(p.bias + v * kPixelVector);
      if (p.reads_sums) sums[i][v] = _mm512_loadu_ps(held + v * p.sums_vector + i * kPixelVector);
    }
  }
  for (const PixelTap *tap = p.taps, *end = tap + p.tap_count; tap < end; ++tap) {
    const char* b = p.b + tap->b;
    int64_t at = tap->a;
    for (const int64_t end_at = at + p.steps * 4; at < end_at; at += 4, b += p.b_step) {
      __m512 of_b[vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) of_b[v] = _mm512_loadu_ps(b + v * p.b_vector);
#pragma GCC unroll 6
      for (int i = 0; i < pixels; ++i) {
        const __m512 of_a = InAllLanes(a[i] + at);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sums[i][v] = MultiplyAdd<dtype>(of_a, of_b[v], sums[i][v]);
      }
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < pixels; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      if (p.writes_sums)
        _mm512_storeu_ps(held + v * p.sums_vector + i * kPixelVector, sums[i][v]);
      else
        StoreResult<dtype>(p, sums[i][v], p.out + p.out_pixels[first + i] + v * p.out_vector);
    }
  }
}

template <DType dtype, int vectors>
void MultiplyAll(const PixelProduct& p) {
  static constexpr void (*kKernels[kPixels])(const PixelProduct&, int64_t first) = {
      Multiply<dtype, 1, vectors>, Multiply<dtype, 2, vectors>, Multiply<dtype, 3, vectors>,
      Multiply<dtype, 4, vectors>, Multiply<dtype, 5, vectors>, Multiply<dtype, 6, vectors>};
  for (int64_t first = 0; first < p.pixels; first += kPixels) {
    kKernels[std::min(kPixels, p.pixels - first) - 1](p, first);
  }
}

template <DType dtype>
void MultiplyByVectors(const PixelProduct& p) {
  if (p.vectors == 1) return MultiplyAll<dtype, 1>(p);
  if (p.vectors == 2) return MultiplyAll<dtype, 2>(p);
  if (p.vectors == 3) return MultiplyAll<dtype, 3>(p);
  return MultiplyAll<dtype, 4>(p);
}

}  // namespace

bool HasPixelProducts(DType dtype) { return HasMultiplyAdd(dtype); }

PixelProductKernel PixelProductKernelFor(DType dtype) {
  return dtype == DType::kBFloat16 ? MultiplyByVectors<DType::kBFloat16> : MultiplyByVectors<DType::kFloat32>;
}

#else

bool HasPixelProducts(DType) { return false; }
PixelProductKernel PixelProductKernelFor(DType) { throw Error(ErrorCode::kNative, "Products of pixels need AVX-512."); }

#endif

}  // namespace residua::cpu
