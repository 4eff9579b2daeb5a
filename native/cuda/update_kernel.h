// The kernel of the optimisers' updates, for the .cu files of their rules: many parameters in one launch. The table of
// pointers and sizes is an argument of the kernel: it needs no memory, no copy and no waiting for earlier launches, and
// may be captured.
//
// A Rule has kStates, Rates, RatesOf(hyper, entry) and Update(weight, gradient, state 0, state 1, rates).
#pragma once
#include <algorithm>

#include "cuda/element.h"
#include "cuda/guards.h"
#include "cuda/parameter_update.h"

namespace residua::cuda {
namespace {

constexpr int64_t kChunk = 4096;    // weights that a block updates at a time
constexpr int kBlocksEach = 8;      // blocks a multiprocessor, at most
constexpr int kSmallCapacity = 64;  // entries of the table: enough for ResNet-18
#if CUDART_VERSION >= 12010
constexpr int kLargeCapacity = 512;  // arguments may take 32,764 bytes: enough for ResNet-152
#else
constexpr int kLargeCapacity = 80;  // 4,096 bytes; what does not fit takes further launches
#endif

template <int kCapacity>
struct Table {
  UpdateEntry entries[kCapacity];
  int32_t first_chunks[kCapacity];  // of all chunks, where the entry's begin
  int32_t count = 0;
  int32_t chunks = 0;
};

// NaN passes through.
__device__ inline float Clipped(float g, float clip) {
  g = g < -clip ? -clip : g;
  return g > clip ? clip : g;
}

// Four neighbours, beginning at `at`.
template <class Rule>
__device__ inline void UpdateFour(const UpdateEntry& entry, int64_t at, const typename Rule::Rates& rates) {
  Pack<float, 4> w = LoadPack<4>(entry.weight + at), states[kMostUpdateStates] = {};
  const Pack<float, 4> grad = LoadPack<4>(entry.grad + at);
  for (int s = 0; s < Rule::kStates; ++s) states[s] = LoadPack<4>(entry.states[s] + at);
  for (int k = 0; k < 4; ++k) {
    Rule::Update(&w.values[k], grad.values[k], &states[0].values[k], &states[1].values[k], rates);
  }
  StorePack(w, entry.weight + at);
  for (int s = 0; s < Rule::kStates; ++s) StorePack(states[s], entry.states[s] + at);
}

template <class Rule>
__device__ inline void UpdateOne(const UpdateEntry& entry, int64_t at, const typename Rule::Rates& rates) {
  float none = 0;
  Rule::Update(entry.weight + at, entry.grad[at], Rule::kStates > 0 ? entry.states[0] + at : &none,
               Rule::kStates > 1 ? entry.states[1] + at : &none, rates);
}

// The entry to which a chunk belongs: the last that begins no later.
template <int kCapacity>
__device__ inline int EntryOf(const Table<kCapacity>& table, int32_t chunk) {
  int low = 0, high = table.count - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (table.first_chunks[middle] <= chunk) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

// `rates_at`: the number of the table's first entry among all.
template <class Rule, int kCapacity>
__global__ void UpdateKernel(const __grid_constant__ Table<kCapacity> table, const float* hyper, int rates_at,
                             Guards guards) {
  if (IsStopped(guards)) return;
  for (int32_t chunk = static_cast<int32_t>(blockIdx.x); chunk < table.chunks; chunk += gridDim.x) {
    const int i = EntryOf(table, chunk);
    const UpdateEntry& entry = table.entries[i];
    const typename Rule::Rates rates = Rule::RatesOf(hyper, rates_at + i);
    const int64_t begin = (chunk - table.first_chunks[i]) * kChunk;
    const int64_t end = begin + kChunk < entry.count ? begin + kChunk : entry.count;
    for (int64_t at = begin + 4 * static_cast<int64_t>(threadIdx.x); at < end; at += 4 * kThreads) {
      if (at + 4 <= end) {
        UpdateFour<Rule>(entry, at, rates);
      } else {
        for (int64_t k = at; k < end; ++k) UpdateOne<Rule>(entry, k, rates);
      }
    }
  }
}

// The entries [first, first + kCapacity), as far as there are some.
template <class Rule, int kCapacity>
void LaunchTable(const CudaContext& context, const std::vector<UpdateEntry>& entries, size_t first, const float* hyper,
                 const LaunchArgs& args) {
  Table<kCapacity> table = {};
  const size_t end = std::min(entries.size(), first + kCapacity);
  for (size_t i = first; i < end; ++i) {
    table.entries[table.count] = entries[i];
    table.first_chunks[table.count] = table.chunks;
    table.count += 1;
    table.chunks += static_cast<int32_t>((entries[i].count + kChunk - 1) / kChunk);
  }
  constexpr auto kernel = UpdateKernel<Rule, kCapacity>;
  const int blocks = std::min(table.chunks, kBlocksEach * std::max(1, context.multiprocessors));
  RESIDUA_LAUNCH(kernel, blocks, kThreads, context.stream, table, hyper, static_cast<int>(first), GuardsOf(args));
}

template <class Rule>
void LaunchRule(const CudaContext& context, const std::vector<UpdateEntry>& entries, const float* hyper,
                const LaunchArgs& args) {
  if (entries.size() <= kSmallCapacity) {
    LaunchTable<Rule, kSmallCapacity>(context, entries, 0, hyper, args);
    return;
  }
  for (size_t first = 0; first < entries.size(); first += kLargeCapacity) {
    LaunchTable<Rule, kLargeCapacity>(context, entries, first, hyper, args);
  }
}

}  // namespace
}  // namespace residua::cuda
