// Reorders inputs into the scratch where an op reads them in another layout than they come in.
#pragma once
#include <optional>
#include <vector>

#include "cpu/onednn.h"
#include "cpu/table_reorder.h"
#include "cpu/tile_reorder.h"

namespace residua::cpu {

// Takes `bytes` of a scratch that is being laid out: returns their offset (64-byte aligned) and moves the end on.
size_t TakeScratch(size_t* scratch_bytes, size_t bytes);

// One reorder between two descriptors of the same dims.
class ScratchReorder {
 public:
  ScratchReorder(const dnnl::engine& engine, const MemoryDesc& from, const MemoryDesc& to, size_t* scratch_bytes);
  void Run(const dnnl::stream& stream, const void* from, void* to, char* scratch);

 private:
  dnnl::reorder primitive_;
  dnnl::memory from_, to_, scratchpad_;
  size_t scratchpad_offset_ = 0;
  std::optional<TileReorder> by_tiles_;  // in place of the primitive, as the next
  std::optional<TableReorder> by_tables_;
};

class InputReorders {
 public:
  InputReorders(const dnnl::engine& engine, const dnnl::stream& stream, size_t input_count)
      : engine_(engine), stream_(stream), pointers_(input_count) {}

  // Input `index`, which is laid out as `from` (after what was added for it before), is to be read as `to`. Does
  // nothing where both are the same in memory. Needed scratch is taken from the end of `scratch_bytes`.
  void Add(size_t index, const MemoryDesc& from, const MemoryDesc& to, size_t* scratch_bytes);

  // As Add, also where both look the same: `from` may be a part of the input.
  void AddAlways(size_t index, const MemoryDesc& from, const MemoryDesc& to, size_t* scratch_bytes);

  // Returns where to read each input; valid until the next call.
  const void* const* Run(void* const* inputs, void* scratch);

 private:
  struct Step {
    size_t input;
    size_t offset;  // of the result in the scratch
    ScratchReorder reorder;
  };
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<Step> steps_;
  std::vector<const void*> pointers_;
};

// Whether the elements lie in row-major order of the dims, with nothing between and after them.
bool IsPlainInMemory(const MemoryDesc& desc);
// The row-major descriptor of the same dims and type.
MemoryDesc PlainLike(const MemoryDesc& desc);
Dims RowMajorStrides(const Dims& dims);

}  // namespace residua::cpu
