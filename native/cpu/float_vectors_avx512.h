// Vectors of 16 numbers by AVX-512, for the headers that are compiled for each kind of vectors
// (panel_product_kernel.h, winograd_vector_transforms.h, batch_norm_kernels.h). What is compiled with them must be
// called only where the processor has these instructions. One target for both types: in float32 no instruction of
// AVX512-BF16 is used.
#pragma once
#include "cpu/bfloat16_vectors.h"

#if defined(RESIDUA_BFLOAT16_VECTORS)
#define RESIDUA_VECTOR_TARGET RESIDUA_BFLOAT16_TARGET
#define RESIDUA_VECTOR_INLINE RESIDUA_BFLOAT16_INLINE

namespace residua::cpu {
namespace {

using Vector = __m512;
constexpr int64_t kVectorLanes = 16;

RESIDUA_VECTOR_INLINE Vector InAllLanes(float x) { return _mm512_set1_ps(x); }
RESIDUA_VECTOR_INLINE Vector LoadVector(const float* from) { return _mm512_loadu_ps(from); }
RESIDUA_VECTOR_INLINE Vector LoadVector(const BFloat16* from) { return LoadSixteen(from); }
RESIDUA_VECTOR_INLINE void StoreVector(Vector values, float* to) { _mm512_storeu_ps(to, values); }
RESIDUA_VECTOR_INLINE void StoreVector(Vector values, BFloat16* to) { StoreSixteen(values, to); }
RESIDUA_VECTOR_INLINE Vector Add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
RESIDUA_VECTOR_INLINE Vector Subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
RESIDUA_VECTOR_INLINE Vector Multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
RESIDUA_VECTOR_INLINE Vector MultiplyAdd(Vector a, Vector b, Vector sum) { return _mm512_fmadd_ps(a, b, sum); }
RESIDUA_VECTOR_INLINE Vector Relu(Vector x) { return _mm512_max_ps(_mm512_setzero_ps(), x); }  // keeps NaN

// A bit a lane: 1 where Relu(x) lets x through, NaN included.
using LaneBits = uint16_t;
RESIDUA_VECTOR_INLINE LaneBits LetThrough(Vector x) {
  return _cvtmask16_u32(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NLE_UQ));
}
RESIDUA_VECTOR_INLINE Vector KeepLanes(LaneBits bits, Vector x) { return _mm512_maskz_mov_ps(bits, x); }  // others: 0

}  // namespace
}  // namespace residua::cpu
#endif
