// Strides of the two layouts, and the loops of a broadcast.
#include "cuda/strides.h"

#include "cuda/layout.h"

namespace residua::cuda {

std::vector<int> StorageOrder(const TensorDesc& desc) {
  if (!IsPlain(desc)) return {0, 2, 3, 1};  // NHWC
  std::vector<int> axes(desc.shape.size());
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int>(i);
  return axes;
}

std::vector<int64_t> StridesOf(const TensorDesc& desc) {
  const std::vector<int> order = StorageOrder(desc);
  std::vector<int64_t> strides(order.size());
  int64_t stride = 1;
  for (size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = stride;
    stride *= desc.shape[order[i]];
  }
  return strides;
}

namespace {

// Strides of an operand along the axes of the output, aligned at the last one.
std::vector<int64_t> RepeatedStrides(const TensorDesc& output, const TensorDesc& operand) {
  const std::vector<int64_t> own = StridesOf(operand);
  const size_t missing = output.shape.size() - own.size();
  std::vector<int64_t> strides(output.shape.size(), 0);
  for (size_t i = 0; i < own.size(); ++i) strides[missing + i] = operand.shape[i] == 1 ? 0 : own[i];
  return strides;
}

}  // namespace

StridedLoops<2> BroadcastLoops(const TensorDesc& output, const TensorDesc& a, const TensorDesc& b) {
  const std::vector<int64_t> strides_a = RepeatedStrides(output, a), strides_b = RepeatedStrides(output, b);
  StridedLoops<2> loops;
  for (int axis : StorageOrder(output)) loops.Add(output.shape[axis], {strides_a[axis], strides_b[axis]});
  return loops;
}

}  // namespace residua::cuda
