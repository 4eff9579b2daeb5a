// Kernels of the forward pass of batch normalisation: statistics of the batch, running statistics, normalisation.
#include "cuda/batch_norm_view.h"
#include "cuda/guards.h"

namespace residua::cuda {
namespace {

// Count, mean and sum of squared differences from the mean: nothing cancels, however far the mean is from 0.
struct Moments {
  float count, mean, m2;
};

template <class T>
struct BatchMoments {
  using Value = Moments;
  const T* x;

  __device__ static Moments Start() { return {0, 0, 0}; }
  // Welford's update.
  __device__ void Add(Moments* moments, int64_t, int64_t element) const {
    const float value = ToFloat(x[element]);
    const float delta = value - moments->mean;
    moments->count += 1;
    moments->mean += delta / moments->count;
    moments->m2 += delta * (value - moments->mean);
  }
  // Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
  __device__ static Moments Merge(const Moments& a, const Moments& b) {
    if (b.count == 0) return a;
    const float count = a.count + b.count, share = b.count / count, delta = b.mean - a.mean;
    return {count, a.mean + delta * share, a.m2 + b.m2 + delta * delta * a.count * share};
  }
};

template <class T>
__global__ void MomentsKernel(ChannelView view, RowTiling tiling, const T* x, Moments* partials) {
  ReduceRows(view, tiling, BatchMoments<T>{x}, partials);
}

__device__ inline void MoveRunning(const RunningStatistics& running, int64_t channel, float mean, float variance) {
  const float keep = running.momentum, take = 1 - running.momentum;
  running.mean[channel] = keep * running.mean[channel] + take * mean;
  running.variance[channel] = keep * running.variance[channel] + take * variance;
}

// A thread a channel.
__global__ void StatisticsKernel(ChannelView view, RowTiling tiling, const Moments* partials, float epsilon,
                                 float* mean, float* inverse_std, RunningStatistics running, Guards guards) {
  const int64_t channel = GridThread();
  if (channel >= view.channels) return;
  const Moments moments = MergeChunks<BatchMoments<float>>(view, tiling, partials, channel);
  mean[channel] = moments.mean;
  inverse_std[channel] = 1 / sqrtf(moments.m2 / moments.count + epsilon);
  if (IsStopped(guards)) return;
  const float freedom = moments.count > 1 ? moments.count - 1 : 1;  // a single value has variance 0
  MoveRunning(running, channel, moments.mean, moments.m2 / freedom);
}

__global__ void UpdateRunningKernel(int64_t channels, const float* next_mean, const float* next_variance,
                                    RunningStatistics running, Guards guards) {
  const int64_t channel = GridThread();
  if (channel >= channels || IsStopped(guards)) return;
  running.mean[channel] = next_mean[channel];
  running.variance[channel] = next_variance[channel];
}

// A thread takes kGroup neighbouring elements.
template <class T>
__global__ void NormalizeKernel(ChannelView view, NormalizeArgs args) {
  const T* x = static_cast<const T*>(args.x);
  const T* residual = static_cast<const T*>(args.residual);
  T* y = static_cast<T*>(args.y);
  for (int64_t first = GridThread() * kGroup; first < view.count; first += GridThreads() * kGroup) {
    Pack<T, kGroup> values = LoadGroup(x, first, view.count), added;
    if (residual != nullptr) added = LoadGroup(residual, first, view.count);
    unsigned passed = 0;
    ChannelWalk walk(view, first);
    for (int i = 0; i < kGroup; ++i, walk.Next(view)) {
      const float scale = args.gamma[walk.channel] * InverseStd(args.spread, walk.channel);
      float value = (ToFloat(values.values[i]) - args.mean[walk.channel]) * scale + args.beta[walk.channel];
      if (residual != nullptr) value += ToFloat(added.values[i]);
      const bool passes = !(value <= 0);
      passed |= static_cast<unsigned>(passes) << i;
      values.values[i] = FromFloat<T>(args.relu && !passes ? 0.0f : value);
    }
    StoreGroup(values, y, first, view.count);
    if (args.mask != nullptr) args.mask[first / kGroup] = static_cast<uint8_t>(passed);
  }
}

}  // namespace

ChannelView ViewOf(const TensorDesc& x) {
  ChannelView view;
  view.dtype = x.dtype;
  view.count = NumElements(x.shape);
  view.channels = x.shape[1];
  view.stride = x.shape.size() == 4 ? 1 : view.count / (x.shape[0] * view.channels);
  return view;
}

size_t BatchNormScratchBytes(const CudaContext& context, const ChannelView& view) {
  return static_cast<size_t>(TilingOf(context, view).chunks * view.channels) * sizeof(Moments);
}

void LaunchBatchStatistics(const CudaContext& context, const ChannelView& view, const void* x, float epsilon,
                           float* mean, float* inverse_std, const RunningStatistics& running, const LaunchArgs& guards,
                           void* scratch) {
  const RowTiling tiling = TilingOf(context, view);
  auto* partials = static_cast<Moments*>(scratch);
  DispatchFloat(view.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    RESIDUA_LAUNCH_COOPERATIVE(MomentsKernel<T>, tiling.blocks(), kThreads, 0, context.stream, view, tiling,
                               static_cast<const T*>(x), partials);
  });
  RESIDUA_LAUNCH(StatisticsKernel, BlocksFor(view.channels), kThreads, context.stream, view, tiling, partials, epsilon,
                 mean, inverse_std, running, GuardsOf(guards));
}

void LaunchNormalize(const CudaContext& context, const ChannelView& view, const NormalizeArgs& args) {
  DispatchFloat(view.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    RESIDUA_LAUNCH(NormalizeKernel<T>, BlocksFor((view.count + kGroup - 1) / kGroup), kThreads, context.stream, view,
                   args);
  });
}

void LaunchUpdateRunning(const CudaContext& context, int64_t channels, const float* next_mean,
                         const float* next_variance, const RunningStatistics& running, const LaunchArgs& guards) {
  RESIDUA_LAUNCH(UpdateRunningKernel, BlocksFor(channels), kThreads, context.stream, channels, next_mean, next_variance,
                 running, GuardsOf(guards));
}

}  // namespace residua::cuda
