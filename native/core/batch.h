// Makes one batch from a data set held as bytes: rows gathered, resized and scaled.
#pragma once
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

namespace residua {

struct BatchTask {
  const uint8_t* images = nullptr;                      // [n, channels, height, width]
  std::variant<const uint8_t*, const int32_t*> labels;  // [n]
  std::vector<int32_t> indices;                         // rows to take, in order; each below n
  int64_t channels = 0, height = 0, width = 0;
  int64_t out_height = 0, out_width = 0;
  float scale = 1;                // multiplies every pixel
  float* out_images = nullptr;    // [indices, channels, out_height, out_width]
  int32_t* out_labels = nullptr;  // [indices]
};

// The resize is bilinear with half-pixel centres, borders repeated and no smoothing where it makes smaller
// (torch.nn.functional.interpolate with align_corners=False). Runs on the calling thread.
void PrepareBatch(const BatchTask& task);

}  // namespace residua
