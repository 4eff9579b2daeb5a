// Winograd's algorithm in float32: products and transforms. To be included after float_vectors_*.h, for whose vectors
// it is compiled.
#pragma once
#include "cpu/winograd_transforms.h"

#if defined(RESIDUA_VECTOR_TARGET)
#include "cpu/panel_product_kernel.h"
#include "cpu/winograd_vector_transforms.h"

namespace residua::cpu {
namespace {

// Products keep up to `vectors` of columns in registers.
template <int vectors>
WinogradCode<float> CodeInFloat32(int64_t cache_bytes) {
  return {kVectorLanes,
          vectors * kVectorLanes,
          cache_bytes,
          MultiplyPanel<float, vectors>,
          {Transforms<ThreeByThree, float>::kScheme, Transforms<TwoByTwo, float>::kScheme,
           Transforms<FourByFour, float>::kScheme}};
}

}  // namespace
}  // namespace residua::cpu
#endif
