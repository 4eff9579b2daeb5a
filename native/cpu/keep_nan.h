// oneDNN's fused ReLU may turn NaN into 0, and a net whose values have become NaN would go on with finite results.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

namespace residua::cpu {

// Makes all of y NaN where a value of the channel is: what y was computed from is NaN there.
inline void KeepNaN(const float* per_channel, int64_t channels, void* y, size_t y_bytes) {
  for (int64_t c = 0; c < channels; ++c) {
    if (!std::isnan(per_channel[c])) continue;
    std::memset(y, 0xff, y_bytes);  // all bits set: NaN in each of the floating-point types
    return;
  }
}

}  // namespace residua::cpu
