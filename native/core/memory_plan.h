// Places buffers that live for a part of a program into one arena: buffers whose lives do not meet share bytes.
#pragma once
#include <cstddef>
#include <vector>

namespace residua {

// A buffer is needed from step `first` to step `last`, both included.
struct BufferLife {
  size_t bytes = 0;
  int first = 0, last = 0;
};

struct MemoryPlan {
  std::vector<size_t> offsets;  // of each buffer, multiples of kArenaAlignment
  size_t bytes = 0;             // of the arena
};

constexpr size_t kArenaAlignment = 256;

// Largest first, each at the lowest offset where it meets no buffer that lives at the same time (greedy by size;
// Pisarchyk and Lee 2020, "Efficient memory management for deep neural net inference", section 5.2).
MemoryPlan PlanMemory(const std::vector<BufferLife>& buffers);

// The most bytes that live at any step: no plan can be smaller.
size_t LowerBound(const std::vector<BufferLife>& buffers);

}  // namespace residua
