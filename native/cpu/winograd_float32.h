// Winograd's algorithm in float32: products and transforms. To be included after float_vectors_*.h, for whose vectors
// it is compiled.
#pragma once
#include "cpu/winograd_transforms.h"

#if defined(RESIDUA_VECTOR_TARGET)
#include "cpu/panel_product_kernel.h"
#include "cpu/winograd_vector_transforms.h"
#endif

namespace residua::cpu {
namespace {

// Products keep up to `vectors` of columns in registers. Null where the compiler has no such vectors.
template <int vectors, int64_t cache_bytes>
const WinogradCode<float>* CodeInFloat32() {
#if defined(RESIDUA_VECTOR_TARGET)
  static const WinogradCode<float> kCode = {
      kVectorLanes,
      vectors * kVectorLanes,
      cache_bytes,
      MultiplyPanel<float, vectors>,
      {Transforms<ThreeByThree, float>::kScheme, Transforms<TwoByTwo, float>::kScheme,
       Transforms<FourByFour, float>::kScheme}};
  return &kCode;
#else
  return nullptr;
#endif
}

}  // namespace
}  // namespace residua::cpu
