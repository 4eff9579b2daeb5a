// Adds a bias to the channels of an NHWC image, and a residual, and does ReLU, 16 bytes of it at a time where the
// channels allow that.
#include "cuda/bias.h"

#include "cuda/element.h"
#include "cuda/grid.h"

namespace residua::cuda {
namespace {

// `count` elements of rows of `channels`; kCount divides `channels`. NaN passes through.
template <int kCount, class T, class Bias>
__global__ void AddBiasKernel(T* y, const Bias* bias, const T* residual, bool relu, int64_t count, int64_t channels) {
  for (int64_t at = GridThread() * kCount; at < count; at += GridThreads() * kCount) {
    const int64_t channel = at - Quotient(at, channels) * channels;
    Pack<T, kCount> pack = LoadPack<kCount>(y + at), added = {};
    if (residual != nullptr) added = LoadPack<kCount>(residual + at);
    for (int k = 0; k < kCount; ++k) {
      float value = ToFloat(pack.values[k]) + ToFloat(bias[channel + k]);
      if (residual != nullptr) value += ToFloat(added.values[k]);
      pack.values[k] = FromFloat<T>(relu && value < 0 ? 0.0f : value);
    }
    StorePack(pack, y + at);
  }
}

template <class T, class Bias>
void LaunchTyped(cudaStream_t stream, T* y, const Bias* bias, const T* residual, bool relu, int64_t count,
                 int64_t channels) {
  const auto launch = [&](auto kernel, int packed) {
    RESIDUA_LAUNCH(kernel, BlocksFor(count / packed), kThreads, stream, y, bias, residual, relu, count, channels);
  };
  if (channels % kPackOf<T> == 0) {
    launch(AddBiasKernel<kPackOf<T>, T, Bias>, kPackOf<T>);
  } else {
    launch(AddBiasKernel<1, T, Bias>, 1);
  }
}

}  // namespace

void LaunchAddBias(cudaStream_t stream, const TensorDesc& y_desc, void* y, DType bias_type, const void* bias,
                   const void* residual, bool relu) {
  const int64_t count = NumElements(y_desc.shape), channels = y_desc.shape[1];
  DispatchFloat(y_desc.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    const auto* added = static_cast<const T*>(residual);
    if (bias_type == DType::kFloat32) {
      LaunchTyped(stream, static_cast<T*>(y), static_cast<const float*>(bias), added, relu, count, channels);
    } else {
      LaunchTyped(stream, static_cast<T*>(y), static_cast<const T*>(bias), added, relu, count, channels);
    }
  });
}

}  // namespace residua::cuda
