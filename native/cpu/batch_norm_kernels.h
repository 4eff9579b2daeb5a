// BatchNorm of one block of channels in some images (batch_norm_code.h). To be included after float_vectors_*.h, for
// whose vectors it is compiled.
#pragma once
#include <algorithm>
#include <cstring>

#include "cpu/batch_norm_code.h"

namespace residua::cpu {
namespace {

constexpr int64_t kChunk = 256;   // positions, which stay in the first-level cache
constexpr int64_t kTogether = 4;  // sums that do not wait for each other

// Calls visit->At(k, element) for all positions of a box, with k of sums that do not wait for each other.
template <class Visit>
RESIDUA_VECTOR_INLINE void ForEachPosition(const NormBox& box, Visit* visit) {
  for (int64_t outer = 0; outer < box.outer; ++outer) {
    int64_t at = outer * box.outer_step, i = 0;
    for (; i + kTogether <= box.inner; i += kTogether) {
#pragma GCC unroll 4
      for (int64_t k = 0; k < kTogether; ++k, at += box.inner_step) visit->At(k, at);
    }
    for (; i < box.inner; ++i, at += box.inner_step) visit->At(0, at);
  }
}

struct Sums {
  Vector parts[kTogether];
  RESIDUA_VECTOR_INLINE Sums() {
#pragma GCC unroll 4
    for (int64_t k = 0; k < kTogether; ++k) parts[k] = InAllLanes(0);
  }
  RESIDUA_VECTOR_INLINE Vector Total() const { return Add(Add(parts[0], parts[1]), Add(parts[2], parts[3])); }
};

// Fetches the cache line into the second-level cache, in one of the calls for the positions k, k + 1, ... that lie in
// it.
template <class Element>
RESIDUA_VECTOR_INLINE void Fetch(int64_t k, const Element* at) {
  constexpr int64_t kPositions = 64 / (kVectorLanes * static_cast<int64_t>(sizeof(Element)));
  if (kPositions > 1 && k % kPositions > 0) return;
  _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T1);
}

// Of a mask, which has a bit a lane: its cache line holds more positions than are visited together.
RESIDUA_VECTOR_INLINE void FetchMask(int64_t k, const uint8_t* at) {
  if (k == 0) _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T1);
}

template <class Element>
struct AddUp {
  const Element* x;
  int64_t ahead;
  Sums sums;
  RESIDUA_VECTOR_INLINE void At(int64_t k, int64_t at) {
    sums.parts[k] = Add(sums.parts[k], LoadVector(x + at));
    Fetch(k, x + at + ahead);
  }
};

template <class Element>
struct AddUpSquares {
  const Element* x;
  Vector mean;
  Sums sums;
  RESIDUA_VECTOR_INLINE void At(int64_t k, int64_t at) {
    const Vector deviation = Subtract(LoadVector(x + at), mean);
    sums.parts[k] = MultiplyAdd(deviation, deviation, sums.parts[k]);
  }
};

template <class Element, bool has_residual, bool relu, bool has_mask>
struct Normalise {
  const NormTask<Element>& t;
  Vector mean, scale, shift;
  RESIDUA_VECTOR_INLINE void At(int64_t k, int64_t at) {
    Vector y = MultiplyAdd(Subtract(LoadVector(t.x + at), mean), scale, shift);
    Fetch(k, t.x + at + t.box.ahead);
    Fetch(k, t.y + at + t.box.ahead);
    if constexpr (has_residual) {
      y = Add(y, LoadVector(t.residual + at));
      Fetch(k, t.residual + at + t.box.ahead);
    }
    if constexpr (has_mask) {
      const LaneBits bits = LetThrough(y);
      std::memcpy(t.mask + at / 8, &bits, sizeof(bits));
      FetchMask(k, t.mask + (at + t.box.ahead) / 8);
    }
    if constexpr (relu) y = Relu(y);
    StoreVector(y, t.y + at);
  }
};

template <bool has_mask, bool has_more, class Element>
RESIDUA_VECTOR_INLINE Vector LoadGradient(const NormGradientTask<Element>& t, int64_t at) {
  Vector dy = LoadVector(t.dy + at);
  if constexpr (has_more) dy = Add(dy, LoadVector(t.more_dy + at));
  if constexpr (!has_mask) return dy;
  LaneBits bits;
  std::memcpy(&bits, t.mask + at / 8, sizeof(bits));
  return KeepLanes(bits, dy);
}

template <class Element, bool has_mask, bool has_more, bool writes>
struct AddUpGradient {
  const NormGradientTask<Element>& t;
  Element* d;
  Vector mean;
  Sums sums, products;
  RESIDUA_VECTOR_INLINE void At(int64_t k, int64_t at) {
    const Vector value = LoadGradient<has_mask, has_more>(t, at);
    if constexpr (writes) {
      StoreVector(value, d + at);
      Fetch(k, d + at + t.box.ahead);
    }
    sums.parts[k] = Add(sums.parts[k], value);
    products.parts[k] = MultiplyAdd(value, Subtract(LoadVector(t.x + at), mean), products.parts[k]);
    Fetch(k, t.x + at + t.box.ahead);
    Fetch(k, t.dy + at + t.box.ahead);
    if constexpr (has_more) Fetch(k, t.more_dy + at + t.box.ahead);
    if constexpr (has_mask) FetchMask(k, t.mask + (at + t.box.ahead) / 8);
  }
};

template <class Element, bool has_mask>
struct WriteGradient {
  const NormGradientTask<Element>& t;
  Element* dx;
  Vector mean, scale, of_x, offset;
  RESIDUA_VECTOR_INLINE void At(int64_t k, int64_t at) {
    const Vector from_x = MultiplyAdd(Subtract(LoadVector(t.x + at), mean), of_x, offset);
    StoreVector(MultiplyAdd(LoadGradient<has_mask, false>(t, at), scale, from_x), dx + at);
    Fetch(k, t.x + at + t.box.ahead);
    Fetch(k, t.dy + at + t.box.ahead);
    Fetch(k, dx + at + t.box.ahead);
  }
};

template <class Element, bool has_mask>
struct WriteScaled {
  const NormGradientTask<Element>& t;
  Element* dx;
  Vector scale;
  RESIDUA_VECTOR_INLINE void At(int64_t, int64_t at) {
    StoreVector(Multiply(LoadGradient<has_mask, false>(t, at), scale), dx + at);
  }
};

template <class Element>
struct NormKernels {
  using Task = NormTask<Element>;
  using Gradient = NormGradientTask<Element>;

  // Chunk by chunk, put together as in Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for
  // computing sample variances".
  RESIDUA_VECTOR_TARGET static void Moments(const NormBox& box, const Element* x, float* mean_out, float* squares_out) {
    Vector mean = InAllLanes(0), squares = InAllLanes(0);
    const int64_t outer_step = std::max<int64_t>(kChunk / box.inner, 1);
    float before = 0;
    for (int64_t outer = 0; outer < box.outer; outer += outer_step) {
      for (int64_t inner = 0; inner < box.inner; inner += kChunk) {
        const NormBox chunk{std::min(outer_step, box.outer - outer), std::min(kChunk, box.inner - inner),
                            box.outer_step, box.inner_step, box.ahead};
        const Element* at = x + outer * box.outer_step + inner * box.inner_step;
        const float count = static_cast<float>(chunk.outer * chunk.inner);
        AddUp<Element> sum{at, box.ahead, {}};
        ForEachPosition(chunk, &sum);
        const Vector chunk_mean = Multiply(sum.sums.Total(), InAllLanes(1 / count));
        AddUpSquares<Element> square{at, chunk_mean, {}};
        ForEachPosition(chunk, &square);
        const Vector difference = Subtract(chunk_mean, mean);
        const float weight = count / (before + count);
        mean = MultiplyAdd(difference, InAllLanes(weight), mean);
        squares = Add(squares, square.sums.Total());
        squares = MultiplyAdd(Multiply(difference, difference), InAllLanes(before * weight), squares);
        before += count;
      }
    }
    StoreVector(mean, mean_out);
    StoreVector(squares, squares_out);
  }

  template <bool has_residual, bool relu, bool has_mask>
  RESIDUA_VECTOR_TARGET static void NormaliseAs(const Task& t) {
    Normalise<Element, has_residual, relu, has_mask> visit{t, LoadVector(t.mean), LoadVector(t.scale),
                                                           LoadVector(t.shift)};
    ForEachPosition(t.box, &visit);
  }

  static void NormaliseAny(const Task& t) {
    if (!t.relu) return t.residual ? NormaliseAs<true, false, false>(t) : NormaliseAs<false, false, false>(t);
    if (t.mask) return t.residual ? NormaliseAs<true, true, true>(t) : NormaliseAs<false, true, true>(t);
    return t.residual ? NormaliseAs<true, true, false>(t) : NormaliseAs<false, true, false>(t);
  }

  template <bool has_mask, bool has_more, bool writes>
  RESIDUA_VECTOR_TARGET static void GradientSumsAs(const Gradient& t, Element* d, float* sum, float* product) {
    AddUpGradient<Element, has_mask, has_more, writes> visit{t, d, LoadVector(t.mean), {}, {}};
    ForEachPosition(t.box, &visit);
    StoreVector(visit.sums.Total(), sum);
    StoreVector(visit.products.Total(), product);
  }

  template <bool has_mask, bool has_more>
  static void GradientSumsOf(const Gradient& t, Element* d, float* sum, float* product) {
    if (d) return GradientSumsAs<has_mask, has_more, true>(t, d, sum, product);
    GradientSumsAs<has_mask, has_more, false>(t, d, sum, product);
  }

  static void GradientSums(const Gradient& t, Element* d, float* sum, float* product) {
    const auto of = t.mask ? (t.more_dy ? GradientSumsOf<true, true> : GradientSumsOf<true, false>)
                           : (t.more_dy ? GradientSumsOf<false, true> : GradientSumsOf<false, false>);
    of(t, d, sum, product);
  }

  template <bool has_mask>
  RESIDUA_VECTOR_TARGET static void GradientAs(const Gradient& t, const float* scale, const float* of_x,
                                               const float* offset, Element* dx) {
    if (!of_x) {
      WriteScaled<Element, has_mask> visit{t, dx, LoadVector(scale)};
      return ForEachPosition(t.box, &visit);
    }
    WriteGradient<Element, has_mask> visit{
        t, dx, LoadVector(t.mean), LoadVector(scale), LoadVector(of_x), LoadVector(offset)};
    ForEachPosition(t.box, &visit);
  }

  static void GradientAny(const Gradient& t, const float* scale, const float* of_x, const float* offset, Element* dx) {
    (t.mask ? GradientAs<true> : GradientAs<false>)(t, scale, of_x, offset, dx);
  }

  static constexpr BatchNormCode<Element> kCode{kVectorLanes, Moments, NormaliseAny, GradientSums, GradientAny};
};

}  // namespace
}  // namespace residua::cpu
