// Bilinear resize of image planes: half-pixel centres, edges clamped, no antialiasing. Agrees with
// torch.nn.functional.interpolate(mode='bilinear', align_corners=False, antialias=False) to float rounding (1e-6).
#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace residua {

// For each output position along one axis: the two source positions and the weight of the second.
struct BilinearAxis {
  struct Tap {
    int32_t first, second;
    float weight;  // of the second; the first has 1 - weight
  };
  std::vector<Tap> taps;

  BilinearAxis(int64_t in, int64_t out) : taps(static_cast<size_t>(out)) {
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    for (int64_t i = 0; i < out; ++i) {
      const double source = std::max(0.0, scale * (static_cast<double>(i) + 0.5) - 0.5);
      const int64_t first = std::min(static_cast<int64_t>(source), in - 1);
      const float weight = static_cast<float>(std::min(source - static_cast<double>(first), 1.0));
      taps[i] = {static_cast<int32_t>(first), static_cast<int32_t>(std::min(first + 1, in - 1)), weight};
    }
  }
};

class BilinearResize {
 public:
  BilinearResize(int64_t in_h, int64_t in_w, int64_t out_h, int64_t out_w)
      : in_w_(in_w), rows_(in_h, out_h), columns_(in_w, out_w) {}

  int64_t out_h() const { return static_cast<int64_t>(rows_.taps.size()); }
  int64_t out_w() const { return static_cast<int64_t>(columns_.taps.size()); }
  size_t buffer_size() const { return 2 * columns_.taps.size(); }  // floats

  // Rows [begin, end) of the output y [out_h, out_w] from the plane x [in_h, in_w], times `scale`. `load` turns an
  // element into a float; `buffer` has buffer_size() floats. A source row is stretched once, then blended into every
  // output row that lies beside it.
  template <class T, class Load>
  void Rows(const T* x, int64_t begin, int64_t end, float scale, const Load& load, float* buffer, float* y) const {
    const int64_t width = out_w();
    float* stretched[2] = {buffer, buffer + width};
    int32_t held[2] = {-1, -1};  // which source rows those are
    const auto stretch = [&](int which, int32_t row) {
      StretchRow(x + row * in_w_, load, stretched[which]);
      held[which] = row;
    };
    for (int64_t i = begin; i < end; ++i) {
      const BilinearAxis::Tap tap = rows_.taps[i];
      if (held[0] != tap.first && held[1] == tap.first) {
        std::swap(stretched[0], stretched[1]);
        std::swap(held[0], held[1]);
      }
      if (held[0] != tap.first) stretch(0, tap.first);
      if (tap.second != tap.first && held[1] != tap.second) stretch(1, tap.second);
      const float* second = tap.second == tap.first ? stretched[0] : stretched[1];
      Blend(stretched[0], second, tap.weight, scale, width, y + i * width);
    }
  }

 private:
  template <class T, class Load>
  void StretchRow(const T* row, const Load& load, float* out) const {
    for (const BilinearAxis::Tap& tap : columns_.taps) {
      *out++ = (1 - tap.weight) * load(row[tap.first]) + tap.weight * load(row[tap.second]);
    }
  }

  static void Blend(const float* a, const float* b, float weight, float scale, int64_t width, float* out) {
    const float rest = 1 - weight;
    for (int64_t i = 0; i < width; ++i) out[i] = (rest * a[i] + weight * b[i]) * scale;
  }

  int64_t in_w_;
  BilinearAxis rows_, columns_;
};

}  // namespace residua
