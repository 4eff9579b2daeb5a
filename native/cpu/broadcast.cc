// Builds the loops of a broadcast.
#include "cpu/broadcast.h"

namespace residua::cpu {
namespace {

// Row-major strides of `shape` along the last `ndim` axes of the output; 0 where the output repeats it.
std::vector<int64_t> StridesIn(const Shape& output, const Shape& shape) {
  std::vector<int64_t> strides(output.size(), 0);
  const size_t missing = output.size() - shape.size();
  int64_t stride = 1;
  for (size_t i = output.size(); i-- > missing;) {
    const int64_t size = shape[i - missing];
    strides[i] = size == 1 ? 0 : stride;
    stride *= size;
  }
  return strides;
}

}  // namespace

Broadcast::Broadcast(const Shape& output, const Shape& a, const Shape& b) {
  const std::vector<int64_t> strides_a = StridesIn(output, a), strides_b = StridesIn(output, b);
  for (size_t i = 0; i < output.size(); ++i) {
    if (output[i] == 1) continue;
    const Loop loop = {output[i], {strides_a[i], strides_b[i]}};
    Loop* outer = loops.empty() ? nullptr : &loops.back();
    const bool merges =
        outer && outer->strides[0] == loop.strides[0] * loop.size && outer->strides[1] == loop.strides[1] * loop.size;
    if (merges) {
      outer->size *= loop.size;
      outer->strides = loop.strides;
    } else {
      loops.push_back(loop);
    }
  }
  if (loops.empty()) loops.push_back({1, {0, 0}});
}

}  // namespace residua::cpu
