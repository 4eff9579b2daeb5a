// Elementwise loops in bfloat16 by the processor's own instructions, which round a vector at once: a loop that the
// compiler makes of the rounding in half_types.h takes three times as long as memory does.
#pragma once
#include <cstdint>

namespace residua::cpu {

struct BFloat16Loops {
  using Binary = void (*)(const void* a, const void* b, void* y, int64_t count);  // y may be a or b
  Binary add, subtract, multiply;
  Binary add_relu;  // max(a + b, 0), which keeps NaN
  // dx = y <= 0 ? 0 : a + b
  void (*gradient_sum)(const void* a, const void* b, const void* y, void* dx, int64_t count);
};

// Null where the processor has no such instructions. What is too small for a normal number becomes 0.
const BFloat16Loops* VectorBFloat16Loops();

}  // namespace residua::cpu
