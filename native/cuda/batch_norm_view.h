// Elements and rows of a ChannelView inside kernels, and how the sums over rows are shared out. For .cu files, after
// launch.h.
#pragma once
#include <algorithm>

#include "cuda/batch_norm_kernels.h"
#include "cuda/element.h"
#include "cuda/grid.h"

namespace residua::cuda {

constexpr int kGroup = 8;  // neighbouring elements of one thread: one byte of a mask

// Follows the channel from element to element.
struct ChannelWalk {
  int64_t channel, within;  // within: the channel's run of `stride` elements
  __device__ ChannelWalk(const ChannelView& view, int64_t element) {
    const int64_t run = Quotient(element, view.stride);
    within = element - run * view.stride;
    channel = run - Quotient(run, view.channels) * view.channels;
  }
  __device__ void Next(const ChannelView& view) {
    if (++within < view.stride) return;
    within = 0;
    if (++channel == view.channels) channel = 0;
  }
};

// Where row `row` of a channel lies.
__device__ inline int64_t ElementAt(const ChannelView& view, int64_t channel, int64_t row) {
  const int64_t outer = Quotient(row, view.stride);
  return (outer * view.channels + channel) * view.stride + (row - outer * view.stride);
}

__device__ inline float InverseStd(const Spread& spread, int64_t channel) {
  const float value = spread.values[channel];
  return spread.is_variance ? rsqrtf(value + spread.epsilon) : value;
}

// kGroup elements from `first` on; where the tensor ends earlier the rest is 0.
template <class T>
__device__ inline Pack<T, kGroup> LoadGroup(const T* from, int64_t first, int64_t count) {
  if (first + kGroup <= count) return LoadPack<kGroup>(from + first);
  Pack<T, kGroup> group;
  for (int i = 0; i < kGroup; ++i) group.values[i] = first + i < count ? from[first + i] : FromFloat<T>(0);
  return group;
}
template <class T>
__device__ inline void StoreGroup(const Pack<T, kGroup>& group, T* to, int64_t first, int64_t count) {
  if (first + kGroup <= count) return StorePack(group, to + first);
  for (int i = 0; first + i < count; ++i) to[first + i] = group.values[i];
}

// A sum over rows by blocks of kThreads: `lanes` neighbouring channels, kThreads / lanes rows at a time. Blocks
// [chunk][tile]: each takes a tile of channels over a chunk of rows.
struct RowTiling {
  int lanes = 1;  // a power of two
  int tiles = 1, chunks = 1;
  int64_t rows = 1, chunk_rows = 1;
  int blocks() const { return tiles * chunks; }
};

inline RowTiling TilingOf(const CudaContext& context, const ChannelView& view) {
  constexpr int64_t kRowsPerThread = 16;  // at least, where there are that many
  RowTiling tiling;
  while (tiling.lanes < kLanes && tiling.lanes < view.channels) tiling.lanes *= 2;
  tiling.tiles = static_cast<int>((view.channels + tiling.lanes - 1) / tiling.lanes);
  tiling.rows = view.rows();
  const int64_t useful_rows = kThreads / tiling.lanes * kRowsPerThread;
  const int64_t useful = (tiling.rows + useful_rows - 1) / useful_rows;
  const int64_t enough = std::max(1, 4 * context.multiprocessors / tiling.tiles);
  const int64_t chunks = std::min(enough, useful);
  tiling.chunk_rows = (tiling.rows + chunks - 1) / chunks;
  tiling.chunks = static_cast<int>((tiling.rows + tiling.chunk_rows - 1) / tiling.chunk_rows);
  return tiling;
}

// Adds up what each thread finds in its rows: Function::Start() -> Value, Add(value, channel, element, view),
// Merge(a, b). One value a chunk and channel goes to partials [chunks, channels].
template <class Function>
__device__ inline void ReduceRows(const ChannelView& view, const RowTiling& tiling, const Function& function,
                                  typename Function::Value* partials) {
  using Value = typename Function::Value;
  RESIDUA_SHARED Value shared[kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  const int rows_at_once = kThreads / tiling.lanes;
  const int chunk = static_cast<int>(blockIdx.x) / tiling.tiles;
  const int tile = static_cast<int>(blockIdx.x) - chunk * tiling.tiles;
  const int64_t channel = static_cast<int64_t>(tile) * tiling.lanes + thread % tiling.lanes;
  const int64_t begin = chunk * tiling.chunk_rows;
  const int64_t end = begin + tiling.chunk_rows < tiling.rows ? begin + tiling.chunk_rows : tiling.rows;

  Value value = Function::Start();
  if (channel < view.channels) {
    for (int64_t row = begin + thread / tiling.lanes; row < end; row += rows_at_once) {
      function.Add(&value, channel, ElementAt(view, channel, row));
    }
  }
  shared[thread] = value;
  for (int half = kThreads / 2; half >= tiling.lanes; half /= 2) {
    __syncthreads();
    if (thread < half) shared[thread] = Function::Merge(shared[thread], shared[thread + half]);
  }
  if (thread < tiling.lanes && channel < view.channels) partials[chunk * view.channels + channel] = shared[thread];
}

// The sum of a channel's partials.
template <class Function>
__device__ inline typename Function::Value MergeChunks(const ChannelView& view, const RowTiling& tiling,
                                                       const typename Function::Value* partials, int64_t channel) {
  typename Function::Value value = Function::Start();
  for (int64_t chunk = 0; chunk < tiling.chunks; ++chunk) {
    value = Function::Merge(value, partials[chunk * view.channels + channel]);
  }
  return value;
}

}  // namespace residua::cuda
