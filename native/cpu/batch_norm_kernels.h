// BatchNorm of one block of channels in one image (batch_norm_code.h). To be included after float_vectors_*.h, for
// whose vectors it is compiled.
#pragma once
#include <algorithm>
#include <cstring>

#include "cpu/batch_norm_code.h"

namespace residua::cpu {
namespace {

template <class Element>
struct NormKernels {
  static constexpr int64_t kChunk = 256;                   // positions, which stay in the first-level cache
  static constexpr int64_t kTogether = 4;                  // sums that do not wait for each other
  static constexpr int64_t kMaskBytes = sizeof(LaneBits);  // of a position
  using Gradient = NormGradientTask<Element>;

  static RESIDUA_VECTOR_INLINE Vector Load(const Element* image, int64_t position) {
    return LoadVector(image + position * kVectorLanes);
  }

  // Into the second-level cache.
  static RESIDUA_VECTOR_INLINE void Fetch(const Element* image, int64_t position) {
    _mm_prefetch(reinterpret_cast<const char*>(image + position * kVectorLanes), _MM_HINT_T1);
  }

  static RESIDUA_VECTOR_INLINE Vector Total(const Vector (&sums)[kTogether]) {
    return Add(Add(sums[0], sums[1]), Add(sums[2], sums[3]));
  }

  static RESIDUA_VECTOR_INLINE Vector Sum(const Element* x, int64_t count, int64_t ahead) {
    Vector sums[kTogether] = {InAllLanes(0), InAllLanes(0), InAllLanes(0), InAllLanes(0)};
    int64_t i = 0;
    for (; i + kTogether <= count; i += kTogether) {
#pragma GCC unroll 4
      for (int64_t k = 0; k < kTogether; ++k) {
        sums[k] = Add(sums[k], Load(x, i + k));
        Fetch(x + ahead, i + k);
      }
    }
    for (; i < count; ++i) sums[0] = Add(sums[0], Load(x, i));
    return Total(sums);
  }

  static RESIDUA_VECTOR_INLINE Vector SquaresAround(Vector mean, const Element* x, int64_t count) {
    Vector sums[kTogether] = {InAllLanes(0), InAllLanes(0), InAllLanes(0), InAllLanes(0)};
    int64_t i = 0;
    for (; i + kTogether <= count; i += kTogether) {
#pragma GCC unroll 4
      for (int64_t k = 0; k < kTogether; ++k) {
        const Vector deviation = Subtract(Load(x, i + k), mean);
        sums[k] = MultiplyAdd(deviation, deviation, sums[k]);
      }
    }
    for (; i < count; ++i) {
      const Vector deviation = Subtract(Load(x, i), mean);
      sums[0] = MultiplyAdd(deviation, deviation, sums[0]);
    }
    return Total(sums);
  }

  // Chunk by chunk, put together as in Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for
  // computing sample variances".
  RESIDUA_VECTOR_TARGET static void Moments(const Element* x, int64_t positions, int64_t ahead, float* mean_out,
                                            float* squares_out) {
    Vector mean = InAllLanes(0), squares = InAllLanes(0);
    for (int64_t before = 0; before < positions; before += kChunk) {
      const int64_t count = std::min(kChunk, positions - before);
      const Element* chunk = x + before * kVectorLanes;
      const Vector chunk_mean = Multiply(Sum(chunk, count, ahead), InAllLanes(1.0f / static_cast<float>(count)));
      const Vector difference = Subtract(chunk_mean, mean);
      const float weight = static_cast<float>(count) / static_cast<float>(before + count);
      mean = MultiplyAdd(difference, InAllLanes(weight), mean);
      squares = Add(squares, SquaresAround(chunk_mean, chunk, count));
      squares = MultiplyAdd(Multiply(difference, difference), InAllLanes(static_cast<float>(before) * weight), squares);
    }
    StoreVector(mean, mean_out);
    StoreVector(squares, squares_out);
  }

  template <bool has_residual, bool relu, bool has_mask>
  RESIDUA_VECTOR_TARGET static void NormaliseAs(const NormTask<Element>& t) {
    const Vector mean = LoadVector(t.mean), scale = LoadVector(t.scale), shift = LoadVector(t.shift);
    for (int64_t i = 0; i < t.positions; ++i) {
      Vector y = MultiplyAdd(Subtract(Load(t.x, i), mean), scale, shift);
      if constexpr (has_residual) {
        y = Add(y, Load(t.residual, i));
        Fetch(t.residual + t.ahead, i);
      }
      if constexpr (has_mask) {
        const LaneBits bits = LetThrough(y);
        std::memcpy(t.mask + i * kMaskBytes, &bits, sizeof(bits));
      }
      if constexpr (relu) y = Relu(y);
      StoreVector(y, t.y + i * kVectorLanes);
    }
  }

  static void Normalise(const NormTask<Element>& t) {
    if (!t.relu) return t.residual ? NormaliseAs<true, false, false>(t) : NormaliseAs<false, false, false>(t);
    if (t.mask) return t.residual ? NormaliseAs<true, true, true>(t) : NormaliseAs<false, true, true>(t);
    return t.residual ? NormaliseAs<true, true, false>(t) : NormaliseAs<false, true, false>(t);
  }

  template <bool has_mask, bool has_more>
  static RESIDUA_VECTOR_INLINE Vector LoadGradient(const Gradient& t, int64_t position) {
    Vector dy = Load(t.dy, position);
    if constexpr (has_more) dy = Add(dy, Load(t.more_dy, position));
    if constexpr (!has_mask) return dy;
    LaneBits bits;
    std::memcpy(&bits, t.mask + position * kMaskBytes, sizeof(bits));
    return KeepLanes(bits, dy);
  }

  template <bool has_mask, bool has_more, bool writes>
  static RESIDUA_VECTOR_INLINE void AddGradient(const Gradient& t, int64_t position, Vector mean, Element* d_out,
                                                Vector* sum, Vector* product) {
    const Vector d = LoadGradient<has_mask, has_more>(t, position);
    if constexpr (writes) StoreVector(d, d_out + position * kVectorLanes);
    *sum = Add(*sum, d);
    *product = MultiplyAdd(d, Subtract(Load(t.x, position), mean), *product);
    Fetch(t.x + t.ahead, position);
    Fetch(t.dy + t.ahead, position);
    if constexpr (has_more) Fetch(t.more_dy + t.ahead, position);
  }

  template <bool has_mask, bool has_more, bool writes>
  RESIDUA_VECTOR_TARGET static void GradientSumsAs(const Gradient& t, Element* d, float* sum, float* product) {
    const Vector mean = LoadVector(t.mean);
    Vector sums[kTogether] = {InAllLanes(0), InAllLanes(0), InAllLanes(0), InAllLanes(0)};
    Vector products[kTogether] = {InAllLanes(0), InAllLanes(0), InAllLanes(0), InAllLanes(0)};
    int64_t i = 0;
    for (; i + kTogether <= t.positions; i += kTogether) {
#pragma GCC unroll 4
      for (int64_t k = 0; k < kTogether; ++k) {
        AddGradient<has_mask, has_more, writes>(t, i + k, mean, d, &sums[k], &products[k]);
      }
    }
    for (; i < t.positions; ++i) {
      AddGradient<has_mask, has_more, writes>(t, i, mean, d, &sums[0], &products[0]);
    }
    StoreVector(Total(sums), sum);
    StoreVector(Total(products), product);
  }

  template <bool has_mask, bool has_more>
  static void GradientSumsOf(const Gradient& t, Element* d, float* sum, float* product) {
    if (d) return GradientSumsAs<has_mask, has_more, true>(t, d, sum, product);
    GradientSumsAs<has_mask, has_more, false>(t, d, sum, product);
  }

  static void GradientSums(const Gradient& t, Element* d, float* sum, float* product) {
    if (t.mask) {
      return t.more_dy ? GradientSumsOf<true, true>(t, d, sum, product)
                       : GradientSumsOf<true, false>(t, d, sum, product);
    }
    return t.more_dy ? GradientSumsOf<false, true>(t, d, sum, product)
                     : GradientSumsOf<false, false>(t, d, sum, product);
  }

  template <bool has_mask>
  RESIDUA_VECTOR_TARGET static void GradientAs(const Gradient& t, const float* scale_in, const float* of_x_in,
                                               const float* offset_in, Element* dx) {
    const Vector mean = LoadVector(t.mean), scale = LoadVector(scale_in);
    const Vector of_x = LoadVector(of_x_in), offset = LoadVector(offset_in);
    for (int64_t i = 0; i < t.positions; ++i) {
      const Vector from_x = MultiplyAdd(Subtract(Load(t.x, i), mean), of_x, offset);
      StoreVector(MultiplyAdd(LoadGradient<has_mask, false>(t, i), scale, from_x), dx + i * kVectorLanes);
    }
  }

  template <bool has_mask>
  RESIDUA_VECTOR_TARGET static void ScaleAs(const Gradient& t, const float* scale_in, Element* dx) {
    const Vector scale = LoadVector(scale_in);
    for (int64_t i = 0; i < t.positions; ++i) {
      StoreVector(Multiply(LoadGradient<has_mask, false>(t, i), scale), dx + i * kVectorLanes);
    }
  }

  static void GradientOf(const Gradient& t, const float* scale, const float* of_x, const float* offset, Element* dx) {
    if (!of_x) return t.mask ? ScaleAs<true>(t, scale, dx) : ScaleAs<false>(t, scale, dx);
    return t.mask ? GradientAs<true>(t, scale, of_x, offset, dx) : GradientAs<false>(t, scale, of_x, offset, dx);
  }

  static constexpr BatchNormCode<Element> kCode{kVectorLanes, Moments, Normalise, GradientSums, GradientOf};
};

}  // namespace
}  // namespace residua::cpu
