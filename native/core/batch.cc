// Makes one batch from a data set held as bytes: rows gathered, resized and scaled.
#include "core/batch.h"

#include <vector>

#include "core/bilinear.h"

namespace residua {

namespace {

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
  const BilinearResize resize(task.height, task.width, task.out_height, task.out_width);
  std::vector<float> buffer(resize.buffer_size());
  const auto load = [](uint8_t value) { return static_cast<float>(value); };
  const int64_t plane = task.height * task.width;
  const int64_t out_plane = task.out_height * task.out_width;
  float* out = task.out_images;
  for (int32_t index : task.indices) {
    const uint8_t* image = task.images + index * task.channels * plane;
    for (int64_t c = 0; c < task.channels; ++c) {
      resize.Rows(image + c * plane, 0, task.out_height, task.scale, load, buffer.data(), out);
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
