// Vectors of 16 numbers as two of AVX2: the same interface as cpu/float_vectors_avx512.h, for machines without AVX-512.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#include <cstdint>

#define RESIDUA_VECTOR_TARGET __attribute__((target("avx2,fma")))
#define RESIDUA_VECTOR_INLINE RESIDUA_VECTOR_TARGET __attribute__((always_inline)) inline

namespace residua::cpu {
namespace {

struct Vector {
  __m256 low, high;
};
constexpr int64_t kVectorLanes = 16;

RESIDUA_VECTOR_INLINE Vector InAllLanes(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
RESIDUA_VECTOR_INLINE Vector LoadVector(const float* from) {
  return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)};
}
RESIDUA_VECTOR_INLINE void StoreVector(Vector values, float* to) {
  _mm256_storeu_ps(to, values.low);
  _mm256_storeu_ps(to + 8, values.high);
}
RESIDUA_VECTOR_INLINE Vector Add(Vector a, Vector b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
RESIDUA_VECTOR_INLINE Vector Subtract(Vector a, Vector b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
RESIDUA_VECTOR_INLINE Vector Multiply(Vector a, Vector b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
RESIDUA_VECTOR_INLINE Vector MultiplyAdd(Vector a, Vector b, Vector sum) {
  return {_mm256_fmadd_ps(a.low, b.low, sum.low), _mm256_fmadd_ps(a.high, b.high, sum.high)};
}
RESIDUA_VECTOR_INLINE Vector Relu(Vector x) {
  return {_mm256_max_ps(_mm256_setzero_ps(), x.low), _mm256_max_ps(_mm256_setzero_ps(), x.high)};
}

}  // namespace
}  // namespace residua::cpu
#endif
