// A product of matrices in bfloat16, summed up in float32, for operands that lie in the caches.
#pragma once
#include <cstdint>

#include "cpu/half_types.h"

namespace residua::cpu {

// The instruction adds the products of pairs: both operands have the summed index in pairs, whose halves are
// neighbours in memory. Strides count elements.
struct BFloat16Product {
  const BFloat16* a;  // [rows, pairs, 2], as the strides say
  int64_t a_row, a_pair;
  const BFloat16* b;  // [pairs, columns, 2], without gaps
  float* c;           // [rows, columns]
  int64_t c_row;
  int64_t rows, pairs;
  int64_t columns;  // 16, 32, 48 or 64: kProductColumns at most
  bool adds;        // to what c holds; else c is written
};

constexpr int64_t kProductColumns = 64;

// Only where HasBFloat16Vectors() (cpu/bfloat16_vectors.h).
void Multiply(const BFloat16Product& product);

}  // namespace residua::cpu
