// Tensors of a graph: what their descriptor says, and their values while a graph runs.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "cuda_emulation/cudnn_descriptor.h"

namespace residua::cuda_emulation {

// Booleans are packed: this is 1 for them too.
int64_t ElementBytes(cudnnDataType_t type);
bool IsFloat(cudnnDataType_t type);

struct TensorInfo {
  int64_t uid = 0;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::vector<int64_t> dims, strides;  // strides in elements
  int64_t alignment = 1;
  bool is_virtual = false, is_by_value = false;

  bool operator==(const TensorInfo& other) const;
  int64_t elements() const;
  int64_t bytes() const;  // from the first to the last element
  // [n, c, d, h, w]; 1 where the tensor has fewer dimensions.
  std::array<int64_t, 5> FiveDims() const;
  std::array<int64_t, 5> FiveStrides() const;
  // Whether channels lie side by side: NHWC.
  bool channels_last() const { return dims.size() >= 3 && strides[1] == 1; }
};

TensorInfo InfoOf(const Descriptor& tensor);

// Values in float, in the order n, d, h, w, c.
struct Values {
  std::array<int64_t, 5> dims = {1, 1, 1, 1, 1};  // [n, c, d, h, w]
  std::vector<float> data;

  Values() = default;
  explicit Values(const std::array<int64_t, 5>& five_dims);
  int64_t n() const { return dims[0]; }
  int64_t c() const { return dims[1]; }
  int64_t h() const { return dims[3]; }
  int64_t w() const { return dims[4]; }
  int64_t pixels() const { return dims[0] * dims[2] * dims[3] * dims[4]; }
};

Values Load(const TensorInfo& tensor, const void* memory);
// Rounds to the tensor's type on the way.
void Store(const TensorInfo& tensor, const Values& values, void* memory);

}  // namespace residua::cuda_emulation
