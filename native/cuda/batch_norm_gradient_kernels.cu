// Kernels of the backward pass of batch normalisation: gradients of gamma and beta, then of the inputs.
#include "cuda/batch_norm_view.h"

namespace residua::cuda {
namespace {

// Whether the ReLU let element i through.
__device__ inline bool Passed(const uint8_t* mask, int64_t i) {
  return mask == nullptr || (mask[i / 8] >> (i % 8) & 1);
}

struct Sums {
  float dy, dy_x;  // of dy, and of dy * (x - mean)
};

template <class T>
struct GradientSums {
  using Value = Sums;
  const T *x, *dy;
  const uint8_t* mask;
  const float* mean;

  __device__ static Sums Start() { return {0, 0}; }
  __device__ void Add(Sums* sums, int64_t channel, int64_t element) const {
    if (!Passed(mask, element)) return;
    const float gradient = ToFloat(dy[element]);
    sums->dy += gradient;
    sums->dy_x += gradient * (ToFloat(x[element]) - mean[channel]);
  }
  __device__ static Sums Merge(const Sums& a, const Sums& b) { return {a.dy + b.dy, a.dy_x + b.dy_x}; }
};

template <class T>
__global__ void SumsKernel(ChannelView view, RowTiling tiling, BatchNormGradientArgs args, Sums* partials) {
  ReduceRows(view, tiling,
             GradientSums<T>{static_cast<const T*>(args.x), static_cast<const T*>(args.dy), args.mask, args.mean},
             partials);
}

// A thread a channel.
__global__ void ParameterGradientsKernel(ChannelView view, RowTiling tiling, const Sums* partials,
                                         BatchNormGradientArgs args) {
  const int64_t channel = GridThread();
  if (channel >= view.channels) return;
  const Sums sums = MergeChunks<GradientSums<float>>(view, tiling, partials, channel);
  args.dbeta[channel] = sums.dy;
  args.dgamma[channel] = sums.dy_x * InverseStd(args.spread, channel);
}

// dx = gamma / std * (dy - mean of dy - x^ * mean of (dy * x^)), x^ = (x - mean) / std; with constant statistics
// gamma / std * dy. Ioffe and Szegedy 2015, section 3. A thread takes kGroup neighbouring elements.
template <class T>
__global__ void InputGradientKernel(ChannelView view, float share, BatchNormGradientArgs args) {
  const T* x = static_cast<const T*>(args.x);
  const T* dy = static_cast<const T*>(args.dy);
  for (int64_t first = GridThread() * kGroup; first < view.count; first += GridThreads() * kGroup) {
    Pack<T, kGroup> inputs = LoadGroup(x, first, view.count), gradients = LoadGroup(dy, first, view.count);
    const unsigned passed = args.mask != nullptr ? args.mask[first / kGroup] : 0xffu;
    ChannelWalk walk(view, first);
    for (int i = 0; i < kGroup; ++i, walk.Next(view)) {
      const int64_t c = walk.channel;
      if ((passed >> i & 1) == 0) gradients.values[i] = FromFloat<T>(0);
      const float inverse_std = InverseStd(args.spread, c);
      const float normalized = (ToFloat(inputs.values[i]) - args.mean[c]) * inverse_std;
      float gradient = ToFloat(gradients.values[i]);
      if (!args.constant_statistics) gradient -= (args.dbeta[c] + normalized * args.dgamma[c]) * share;
      inputs.values[i] = FromFloat<T>(args.gamma[c] * inverse_std * gradient);
    }
    StoreGroup(inputs, static_cast<T*>(args.dx), first, view.count);
    if (args.dresidual != nullptr) StoreGroup(gradients, static_cast<T*>(args.dresidual), first, view.count);
  }
}

}  // namespace

void LaunchBatchNormSums(const CudaContext& context, const ChannelView& view, const BatchNormGradientArgs& args,
                         void* scratch) {
  const RowTiling tiling = TilingOf(context, view);
  auto* partials = static_cast<Sums*>(scratch);
  DispatchFloat(view.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    RESIDUA_LAUNCH_COOPERATIVE(SumsKernel<T>, tiling.blocks(), kThreads, 0, context.stream, view, tiling, args,
                               partials);
  });
  RESIDUA_LAUNCH(ParameterGradientsKernel, BlocksFor(view.channels), kThreads, context.stream, view, tiling, partials,
                 args);
}

void LaunchBatchNormInputGradient(const CudaContext& context, const ChannelView& view,
                                  const BatchNormGradientArgs& args) {
  const float share = 1.0f / static_cast<float>(view.rows());
  DispatchFloat(view.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    RESIDUA_LAUNCH(InputGradientKernel<T>, BlocksFor((view.count + kGroup - 1) / kGroup), kThreads, context.stream,
                   view, share, args);
  });
}

}  // namespace residua::cuda
