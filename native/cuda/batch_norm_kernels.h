// Kernels of batch normalisation for what cuDNN has no engine for: any number of channels, tensors of 2 to 5 axes,
// prediction. Statistics and sums are taken in float, in a fixed order.
#pragma once
#include "cuda/context.h"
#include "cuda/cuda_plan.h"

namespace residua::cuda {

// A tensor as its elements lie in memory: element i belongs to channel (i / stride) % channels.
struct ChannelView {
  DType dtype = DType::kFloat32;
  int64_t count = 0;     // elements
  int64_t channels = 0;  // of `rows` elements each
  int64_t stride = 1;    // elements between neighbouring channels: 1 in NHWC
  int64_t rows() const { return count / channels; }
};
// x in NHWC where it has 4 axes, else plain.
ChannelView ViewOf(const TensorDesc& x);

// How the spread of a channel is given.
struct Spread {
  const float* values = nullptr;  // [channels]
  bool is_variance = false;       // else 1 / sqrt(variance + epsilon)
  float epsilon = 0;
};

// running = momentum * running + (1 - momentum) * batch, with the unbiased variance, unless a guard is set.
struct RunningStatistics {
  float* mean = nullptr;
  float* variance = nullptr;
  float momentum = 0;
};

// Scratch of LaunchBatchStatistics and LaunchBatchNormSums.
size_t BatchNormScratchBytes(const CudaContext& context, const ChannelView& view);

// mean, inverse_std [channels] of x, from the biased variance; moves the running statistics.
void LaunchBatchStatistics(const CudaContext& context, const ChannelView& view, const void* x, float epsilon,
                           float* mean, float* inverse_std, const RunningStatistics& running, const LaunchArgs& guards,
                           void* scratch);

struct NormalizeArgs {
  const void* x = nullptr;
  const void* residual = nullptr;  // added before the ReLU; null: none
  const float *gamma = nullptr, *beta = nullptr, *mean = nullptr;
  Spread spread;
  bool relu = false;  // NaN passes
  void* y = nullptr;
  uint8_t* mask = nullptr;  // bit i % 8 of byte i / 8: whether element i passed the ReLU; null: not wanted
};
// y = relu(gamma * (x - mean) / std + beta + residual)
void LaunchNormalize(const CudaContext& context, const ChannelView& view, const NormalizeArgs& args);

struct BatchNormGradientArgs {
  const void *x = nullptr, *dy = nullptr;
  const uint8_t* mask = nullptr;  // null: no ReLU
  const float *gamma = nullptr, *mean = nullptr;
  Spread spread;
  bool constant_statistics = false;  // the running ones: no gradient flows through them
  float *dgamma = nullptr, *dbeta = nullptr;
  void* dx = nullptr;
  void* dresidual = nullptr;  // dy where the ReLU let through, else 0; null: not wanted
};
// dgamma, dbeta
void LaunchBatchNormSums(const CudaContext& context, const ChannelView& view, const BatchNormGradientArgs& args,
                         void* scratch);
// dx and dresidual, from dgamma and dbeta
void LaunchBatchNormInputGradient(const CudaContext& context, const ChannelView& view,
                                  const BatchNormGradientArgs& args);

// Copies new running statistics [channels] each over the old ones, unless a guard is set.
void LaunchUpdateRunning(const CudaContext& context, int64_t channels, const float* next_mean,
                         const float* next_variance, const RunningStatistics& running, const LaunchArgs& guards);

}  // namespace residua::cuda
