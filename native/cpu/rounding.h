// Division that rounds up, of sizes and counts.
#pragma once
#include <cstdint>

namespace residua::cpu {

inline int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t RoundUp(int64_t a, int64_t b) { return CeilDivide(a, b) * b; }

}  // namespace residua::cpu
