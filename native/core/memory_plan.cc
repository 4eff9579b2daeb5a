// Places buffers that live for a part of a program into one arena.
#include "core/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace residua {

namespace {

size_t Aligned(size_t bytes) { return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }

bool Meet(const BufferLife& a, const BufferLife& b) { return a.first <= b.last && b.first <= a.last; }

}  // namespace

MemoryPlan PlanMemory(const std::vector<BufferLife>& buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });
  MemoryPlan plan;
  plan.offsets.assign(buffers.size(), 0);
  std::vector<size_t> placed;  // by offset
  for (size_t index : order) {
    const size_t bytes = Aligned(buffers[index].bytes);
    size_t offset = 0;
    for (size_t other : placed) {
      if (!Meet(buffers[index], buffers[other])) continue;
      if (offset + bytes <= plan.offsets[other]) break;  // fits in front of it
      offset = std::max(offset, plan.offsets[other] + Aligned(buffers[other].bytes));
    }
    plan.offsets[index] = offset;
    plan.bytes = std::max(plan.bytes, offset + bytes);
    const auto after = std::upper_bound(placed.begin(), placed.end(), offset,
                                        [&](size_t value, size_t other) { return value < plan.offsets[other]; });
    placed.insert(after, index);
  }
  return plan;
}

size_t LowerBound(const std::vector<BufferLife>& buffers) {
  int steps = 0;
  for (const BufferLife& buffer : buffers) steps = std::max(steps, buffer.last + 1);
  size_t most = 0;
  for (int step = 0; step < steps; ++step) {
    size_t live = 0;
    for (const BufferLife& buffer : buffers) {
      if (buffer.first <= step && step <= buffer.last) live += Aligned(buffer.bytes);
    }
    most = std::max(most, live);
  }
  return most;
}

}  // namespace residua
