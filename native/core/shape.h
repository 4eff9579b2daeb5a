// Logical shapes: sizes, products, text.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace residua {

using Shape = std::vector<int64_t>;  // always the logical order, NCHW for images

constexpr int kMaxDims = 8;
constexpr int64_t kMaxElements = int64_t{1} << 53;  // what a JavaScript number counts exactly

inline int64_t NumElements(const Shape& shape) {
  int64_t n = 1;
  for (int64_t d : shape) n *= d;
  return n;
}

// NumElements, for shapes from outside. False where it is more than kMaxElements, sizes of 0 counted last.
inline bool CountElements(const Shape& shape, int64_t* count) {
  *count = 1;
  bool empty = false;
  for (int64_t d : shape) {
    empty = empty || d == 0;
    if (d != 0 && (__builtin_mul_overflow(*count, d, count) || *count > kMaxElements)) return false;
  }
  if (empty) *count = 0;
  return true;
}

// "[256, 1, 96, 96]"
inline std::string ToString(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

}  // namespace residua
