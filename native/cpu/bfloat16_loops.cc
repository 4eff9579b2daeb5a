// Elementwise loops in bfloat16 by AVX512-BF16 instructions.
#include "cpu/bfloat16_loops.h"

#include <algorithm>
#include <cstring>

#include "cpu/float_vectors_avx512.h"

namespace residua::cpu {

#if defined(RESIDUA_VECTOR_TARGET)

namespace {

struct Sum {
  static RESIDUA_VECTOR_INLINE Vector Of(Vector a, Vector b) { return Add(a, b); }
};
struct Difference {
  static RESIDUA_VECTOR_INLINE Vector Of(Vector a, Vector b) { return Subtract(a, b); }
};
struct Product {
  static RESIDUA_VECTOR_INLINE Vector Of(Vector a, Vector b) { return Multiply(a, b); }
};
struct ReluOfSum {
  static RESIDUA_VECTOR_INLINE Vector Of(Vector a, Vector b) { return Relu(Add(a, b)); }
};

// The last, incomplete vector of some operands, filled up with zeros.
class Rest {
 public:
  Rest(const BFloat16* from, int64_t count) { std::copy(from, from + count, values_); }
  const BFloat16* values() const { return values_; }

 private:
  BFloat16 values_[kVectorLanes] = {};
};

template <class Operation>
RESIDUA_VECTOR_TARGET void Loop(const void* a_bytes, const void* b_bytes, void* y_bytes, int64_t count) {
  const auto *a = static_cast<const BFloat16*>(a_bytes), *b = static_cast<const BFloat16*>(b_bytes);
  auto* y = static_cast<BFloat16*>(y_bytes);
  int64_t i = 0;
  for (; i + kVectorLanes <= count; i += kVectorLanes) {
    StoreVector(Operation::Of(LoadVector(a + i), LoadVector(b + i)), y + i);
  }
  if (i == count) return;
  const Rest rest_a(a + i, count - i), rest_b(b + i, count - i);
  BFloat16 rest_y[kVectorLanes];
  StoreVector(Operation::Of(LoadVector(rest_a.values()), LoadVector(rest_b.values())), rest_y);
  std::copy(rest_y, rest_y + (count - i), y + i);
}

RESIDUA_VECTOR_INLINE Vector GatedSum(const BFloat16* a, const BFloat16* b, const BFloat16* y) {
  return KeepLanes(LetThrough(LoadVector(y)), Add(LoadVector(a), LoadVector(b)));
}

RESIDUA_VECTOR_TARGET void GradientSum(const void* a_bytes, const void* b_bytes, const void* y_bytes, void* dx_bytes,
                                       int64_t count) {
  const auto *a = static_cast<const BFloat16*>(a_bytes), *b = static_cast<const BFloat16*>(b_bytes);
  const auto* y = static_cast<const BFloat16*>(y_bytes);
  auto* dx = static_cast<BFloat16*>(dx_bytes);
  int64_t i = 0;
  for (; i + kVectorLanes <= count; i += kVectorLanes) StoreVector(GatedSum(a + i, b + i, y + i), dx + i);
  if (i == count) return;
  const Rest rest_a(a + i, count - i), rest_b(b + i, count - i), rest_y(y + i, count - i);
  BFloat16 rest_dx[kVectorLanes];
  StoreVector(GatedSum(rest_a.values(), rest_b.values(), rest_y.values()), rest_dx);
  std::copy(rest_dx, rest_dx + (count - i), dx + i);
}

}  // namespace

const BFloat16Loops* VectorBFloat16Loops() {
  static const BFloat16Loops kLoops{Loop<Sum>, Loop<Difference>, Loop<Product>, Loop<ReluOfSum>, GradientSum};
  return HasBFloat16Vectors() ? &kLoops : nullptr;
}

#else

const BFloat16Loops* VectorBFloat16Loops() { return nullptr; }

#endif

}  // namespace residua::cpu
