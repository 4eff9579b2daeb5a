// Vectors of 8 numbers by AVX2 and FMA, for the headers that are compiled for each kind of vectors
// (panel_product_kernel.h, winograd_vector_transforms.h). What is compiled with them must be called only where the
// processor has these instructions.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define RESIDUA_AVX2_VECTORS 1
#include <immintrin.h>

#include <cstdint>

#define RESIDUA_VECTOR_TARGET __attribute__((target("avx2,fma")))
#define RESIDUA_VECTOR_INLINE RESIDUA_VECTOR_TARGET __attribute__((always_inline)) inline

namespace residua::cpu {
namespace {

using Vector = __m256;
constexpr int64_t kVectorLanes = 8;

RESIDUA_VECTOR_INLINE Vector InAllLanes(float x) { return _mm256_set1_ps(x); }
RESIDUA_VECTOR_INLINE Vector LoadVector(const float* from) { return _mm256_loadu_ps(from); }
RESIDUA_VECTOR_INLINE void StoreVector(Vector values, float* to) { _mm256_storeu_ps(to, values); }
RESIDUA_VECTOR_INLINE Vector Add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
RESIDUA_VECTOR_INLINE Vector Subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
RESIDUA_VECTOR_INLINE Vector Multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
RESIDUA_VECTOR_INLINE Vector MultiplyAdd(Vector a, Vector b, Vector sum) { return _mm256_fmadd_ps(a, b, sum); }
RESIDUA_VECTOR_INLINE Vector Relu(Vector x) { return _mm256_max_ps(_mm256_setzero_ps(), x); }  // keeps NaN

}  // namespace
}  // namespace residua::cpu
#endif
