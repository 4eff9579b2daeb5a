// A product of matrices summed up in float32, for operands that lie in the caches.
#pragma once
#include <cstdint>

#include "cpu/half_types.h"

namespace residua::cpu {

// Numbers of the summed index that one instruction multiplies, neighbours in memory: those of bfloat16 add the products
// of pairs.
template <class Element>
constexpr int64_t kInStep = 1;
template <>
inline constexpr int64_t kInStep<BFloat16> = 2;

// Strides count elements.
template <class Element>
struct PanelProduct {
  const Element* a;  // [rows, steps, kInStep], as the strides say
  int64_t a_row, a_step;
  const Element* b;  // [steps, columns, kInStep], without gaps
  float* c;          // [rows, columns]
  int64_t c_row;
  int64_t rows, steps;
  int64_t columns;  // whole vectors, as many as stay in registers at most
  bool adds;        // to what c holds; else c is written
};

}  // namespace residua::cpu
