// A plain tensor seen along one axis: [outer, size, inner].
#pragma once
#include <cstdint>

#include "core/shape.h"

namespace residua::cpu {

struct AxisView {
  int64_t outer = 1, size = 1, inner = 1;

  AxisView(const Shape& shape, int axis) {
    if (shape.empty()) return;  // a scalar is [1, 1, 1]
    for (int i = 0; i < static_cast<int>(shape.size()); ++i) (i < axis ? outer : i == axis ? size : inner) *= shape[i];
  }

  int64_t lines() const { return outer * inner; }
  // Where a line begins; its elements are `inner` apart.
  int64_t Begin(int64_t line) const { return line / inner * size * inner + line % inner; }
};

}  // namespace residua::cpu
