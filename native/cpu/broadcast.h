// NumPy broadcasting of plain tensors as nested loops with strides, merged to as few as possible.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "core/shape.h"

namespace residua::cpu {

// Loops over the output, outermost first. Strides of the two operands count elements; 0: the operand is repeated.
// The innermost strides are 0 or 1.
struct Broadcast {
  struct Loop {
    int64_t size;
    std::array<int64_t, 2> strides;
  };
  std::vector<Loop> loops;  // at least one

  Broadcast(const Shape& output, const Shape& a, const Shape& b);

  // Splits the outputs [begin, end) into innermost runs: run(output offset, a offset, b offset, length).
  template <class Run>
  void ForEachRun(int64_t begin, int64_t end, const Run& run) const;
};

template <class Run>
void Broadcast::ForEachRun(int64_t begin, int64_t end, const Run& run) const {
  if (begin >= end) return;
  const int inner = static_cast<int>(loops.size()) - 1;
  std::array<int64_t, kMaxDims> index;
  int64_t rest = begin;
  std::array<int64_t, 2> offset = {0, 0};
  for (int i = inner; i >= 0; --i) {
    index[i] = rest % loops[i].size;
    rest /= loops[i].size;
    for (int k = 0; k < 2; ++k) offset[k] += index[i] * loops[i].strides[k];
  }
  while (true) {
    const int64_t length = std::min(loops[inner].size - index[inner], end - begin);
    run(begin, offset[0], offset[1], length);
    begin += length;
    if (begin >= end) return;
    // To the start of the next run.
    for (int k = 0; k < 2; ++k) offset[k] -= index[inner] * loops[inner].strides[k];
    index[inner] = 0;
    for (int i = inner - 1; i >= 0; --i) {
      for (int k = 0; k < 2; ++k) offset[k] += loops[i].strides[k];
      if (++index[i] < loops[i].size) break;
      for (int k = 0; k < 2; ++k) offset[k] -= loops[i].size * loops[i].strides[k];
      index[i] = 0;
    }
  }
}

}  // namespace residua::cpu
