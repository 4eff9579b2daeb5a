// Makes one batch from a data set held as bytes: rows gathered, resized and scaled.
#include "core/batch.h"

#include <algorithm>

namespace residua {

namespace {

// An output position takes (1 - weight) of input `low` and `weight` of input `high`.
struct Tap {
  int32_t low, high;
  float weight;
};

std::vector<Tap> BilinearTaps(int64_t in, int64_t out) {
  std::vector<Tap> taps(static_cast<size_t>(out));
  const double ratio = static_cast<double>(in) / static_cast<double>(out);
  for (int64_t i = 0; i < out; ++i) {
    const double position = std::max(0.0, (static_cast<double>(i) + 0.5) * ratio - 0.5);
    const int64_t low = std::min(static_cast<int64_t>(position), in - 1);
    const int64_t high = std::min(low + 1, in - 1);
    taps[static_cast<size_t>(i)] = {static_cast<int32_t>(low), static_cast<int32_t>(high),
                                    static_cast<float>(position - static_cast<double>(low))};
  }
  return taps;
}

// Resizes planes of one size: along the rows first, each input row once, then between two rows.
class Resizer {
 public:
  explicit Resizer(const BatchTask& task)
      : width_(task.width),
        out_width_(task.out_width),
        scale_(task.scale),
        columns_(BilinearTaps(task.width, task.out_width)),
        rows_(BilinearTaps(task.height, task.out_height)) {
    for (auto& row : wide_rows_) row.resize(static_cast<size_t>(out_width_));
  }

  void Run(const uint8_t* in, float* out) {  // [height, width] -> [out_height, out_width]
    wide_row_of_[0] = wide_row_of_[1] = -1;
    for (const Tap& row : rows_) {
      const float* low = WideRow(in, row.low);
      const float* high = WideRow(in, row.high);
      const float high_weight = row.weight * scale_;
      const float low_weight = (1 - row.weight) * scale_;
      for (int64_t x = 0; x < out_width_; ++x) out[x] = low[x] * low_weight + high[x] * high_weight;
      out += out_width_;
    }
  }

 private:
  // Input row y stretched to the output's width. Two are kept, for the rows asked for are neighbours.
  const float* WideRow(const uint8_t* in, int32_t y) {
    float* wide = wide_rows_[y & 1].data();
    if (wide_row_of_[y & 1] == y) return wide;
    wide_row_of_[y & 1] = y;
    const uint8_t* row = in + y * width_;
    for (int64_t x = 0; x < out_width_; ++x) {
      const Tap& tap = columns_[static_cast<size_t>(x)];
      wide[x] = static_cast<float>(row[tap.low]) * (1 - tap.weight) + static_cast<float>(row[tap.high]) * tap.weight;
    }
    return wide;
  }

  int64_t width_, out_width_;
  float scale_;
  std::vector<Tap> columns_, rows_;
  std::vector<float> wide_rows_[2];
  int32_t wide_row_of_[2] = {-1, -1};
};

void GatherLabels(const BatchTask& task) {
  std::visit(
      [&task](const auto* labels) {
        for (size_t i = 0; i < task.indices.size(); ++i) task.out_labels[i] = labels[task.indices[i]];
      },
      task.labels);
}

void CopyImages(const BatchTask& task) {
  const int64_t size = task.channels * task.height * task.width;
  float* out = task.out_images;
  for (int32_t index : task.indices) {
    const uint8_t* in = task.images + index * size;
    for (int64_t i = 0; i < size; ++i) out[i] = static_cast<float>(in[i]) * task.scale;
    out += size;
  }
}

void ResizeImages(const BatchTask& task) {
  Resizer resizer(task);
  const int64_t plane = task.height * task.width;
  const int64_t out_plane = task.out_height * task.out_width;
  float* out = task.out_images;
  for (int32_t index : task.indices) {
    const uint8_t* image = task.images + index * task.channels * plane;
    for (int64_t c = 0; c < task.channels; ++c) {
      resizer.Run(image + c * plane, out);
      out += out_plane;
    }
  }
}

}  // namespace

void PrepareBatch(const BatchTask& task) {
  GatherLabels(task);
  const bool same_size = task.height == task.out_height && task.width == task.out_width;
  if (same_size)
    CopyImages(task);
  else
    ResizeImages(task);
}

}  // namespace residua
