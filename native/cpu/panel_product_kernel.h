// A product of matrices in registers: 6 rows and 2 or 4 vectors of columns stay there while the summed index runs. With
// 4 vectors, of 32 registers, 10 values are loaded for 24 instructions that multiply.
//
// To be included after float_vectors_*.h, for whose vectors it is compiled.
#pragma once
#include <algorithm>
#include <cstring>

#include "cpu/panel_product.h"

namespace residua::cpu {
namespace {

// The numbers of one step, and what is done with them.
template <class Element>
struct StepOf;
template <>
struct StepOf<float> {
  static RESIDUA_VECTOR_INLINE Vector Load(const float* from) { return LoadVector(from); }
  static RESIDUA_VECTOR_INLINE Vector InLanes(const float* from) { return InAllLanes(*from); }
  static RESIDUA_VECTOR_INLINE Vector Add(Vector a, Vector b, Vector sum) { return MultiplyAdd(a, b, sum); }
};

template <class Element, int vectors>
struct ProductKernel {
  static constexpr int kRows = 6;
  using Product = PanelProduct<Element>;
  using Step = StepOf<Element>;

  // `rows` of c from its `row` on.
  template <int rows>
  RESIDUA_VECTOR_TARGET static void MultiplyRows(const Product& p, int64_t row) {
    constexpr int64_t kVectorElements = kVectorLanes * kInStep<Element>;
    float* c = p.c + row * p.c_row;
    Vector sums[rows][vectors];
#pragma GCC unroll 6
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        sums[r][v] = p.adds ? LoadVector(c + r * p.c_row + v * kVectorLanes) : InAllLanes(0.0f);
      }
    }
    const Element *a = p.a + row * p.a_row, *b = p.b;
    for (int64_t step = 0; step < p.steps; ++step, a += p.a_step, b += vectors * kVectorElements) {
      Vector of_b[vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) of_b[v] = Step::Load(b + v * kVectorElements);
#pragma GCC unroll 6
      for (int r = 0; r < rows; ++r) {
        const Vector of_a = Step::InLanes(a + r * p.a_row);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sums[r][v] = Step::Add(of_a, of_b[v], sums[r][v]);
      }
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) StoreVector(sums[r][v], c + r * p.c_row + v * kVectorLanes);
    }
  }

  static void Multiply(const Product& p) {
    static constexpr void (*kKernels[kRows])(const Product&, int64_t row) = {
        MultiplyRows<1>, MultiplyRows<2>, MultiplyRows<3>, MultiplyRows<4>, MultiplyRows<5>, MultiplyRows<6>};
    for (int64_t row = 0; row < p.rows; row += kRows) kKernels[std::min<int64_t>(kRows, p.rows - row) - 1](p, row);
  }
};

// c has `most_vectors` vectors of columns at most.
template <class Element, int most_vectors>
void MultiplyPanel(const PanelProduct<Element>& p) {
  static_assert(most_vectors == 2 || most_vectors == 4);
  const int64_t vectors = p.columns / kVectorLanes;
  if (vectors == 1) return ProductKernel<Element, 1>::Multiply(p);
  if (vectors == 2) return ProductKernel<Element, 2>::Multiply(p);
  if constexpr (most_vectors == 4) {
    if (vectors == 3) return ProductKernel<Element, 3>::Multiply(p);
    return ProductKernel<Element, 4>::Multiply(p);
  }
}

}  // namespace
}  // namespace residua::cpu
