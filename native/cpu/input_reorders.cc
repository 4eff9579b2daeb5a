// Reorders inputs into the scratch; tells plain descriptors from others.
#include "cpu/input_reorders.h"

#include <unordered_map>

#include "cpu/profile.h"

namespace residua::cpu {

size_t TakeScratch(size_t* scratch_bytes, size_t bytes) {
  const size_t offset = (*scratch_bytes + 63) / 64 * 64;
  *scratch_bytes = offset + bytes;
  return offset;
}

Dims RowMajorStrides(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

MemoryDesc PlainLike(const MemoryDesc& desc) {
  const Dims dims = DimsOf(desc);
  return MemoryDesc(dims, DataTypeOf(desc), RowMajorStrides(dims));
}

bool IsPlainInMemory(const MemoryDesc& desc) {
  const Blocking blocking = BlockingOf(desc);
  if (!blocking.valid || blocking.padded_dims != blocking.dims) return false;
  // Each dimension as its parts, outermost first: {size, stride}. Parts of size 1 do not matter.
  struct Part {
    int64_t size, stride;
  };
  std::vector<std::vector<Part>> parts(blocking.dims.size());
  for (size_t d = 0; d < parts.size(); ++d) parts[d] = {{blocking.dims[d], blocking.strides[d]}};
  int64_t inner_stride = 1;
  for (int64_t block : blocking.inner_blocks) inner_stride *= block;
  for (size_t i = 0; i < blocking.inner_blocks.size(); ++i) {
    inner_stride /= blocking.inner_blocks[i];
    std::vector<Part>& dimension = parts[blocking.inner_dims[i]];
    dimension.front().size /= blocking.inner_blocks[i];
    dimension.push_back({blocking.inner_blocks[i], inner_stride});
  }
  int64_t expected_stride = 1;
  for (size_t d = parts.size(); d-- > 0;) {
    for (size_t i = parts[d].size(); i-- > 0;) {
      if (parts[d][i].size != 1 && parts[d][i].stride != expected_stride) return false;
      expected_stride *= parts[d][i].size;
    }
  }
  return true;
}

ScratchReorder::ScratchReorder(const dnnl::engine& engine, const MemoryDesc& from, const MemoryDesc& to,
                               size_t* scratch_bytes)
    : from_(from, engine, DNNL_MEMORY_NONE), to_(to, engine, DNNL_MEMORY_NONE), by_tiles_(TileReorder::Of(from, to)) {
  if (by_tiles_) return;
  if (NeedsTableReorder(engine, from, to)) {
    by_tables_.emplace(from, to);
    return;
  }
  const dnnl::reorder::primitive_desc desc(engine, from, engine, to, UserScratchpad());
  primitive_ = dnnl::reorder(desc);
  scratchpad_ = dnnl::memory(desc.scratchpad_desc(), engine, DNNL_MEMORY_NONE);
  scratchpad_offset_ = TakeScratch(scratch_bytes, desc.scratchpad_desc().get_size());
}

void ScratchReorder::Run(const dnnl::stream& stream, const void* from, void* to, char* scratch) {
  const ReorderLap lap;
  if (by_tiles_) return by_tiles_->Run(from, to);
  if (by_tables_) return by_tables_->Run(from, to);
  from_.set_data_handle(const_cast<void*>(from));
  to_.set_data_handle(to);
  scratchpad_.set_data_handle(scratch + scratchpad_offset_);
  primitive_.execute(stream, {{DNNL_ARG_FROM, from_}, {DNNL_ARG_TO, to_}, {DNNL_ARG_SCRATCHPAD, scratchpad_}});
}

void InputReorders::Add(size_t index, const MemoryDesc& from, const MemoryDesc& to, size_t* scratch_bytes) {
  if (from == to) return;
  if (DataTypeOf(from) == DataTypeOf(to) && IsPlainInMemory(from) && IsPlainInMemory(to)) return;
  AddAlways(index, from, to, scratch_bytes);
}

void InputReorders::AddAlways(size_t index, const MemoryDesc& from, const MemoryDesc& to, size_t* scratch_bytes) {
  const size_t offset = TakeScratch(scratch_bytes, to.get_size());
  steps_.push_back({index, offset, ScratchReorder(engine_, from, to, scratch_bytes)});
}

const void* const* InputReorders::Run(void* const* inputs, void* scratch) {
  char* base = static_cast<char*>(scratch);
  for (size_t i = 0; i < pointers_.size(); ++i) pointers_[i] = inputs[i];
  for (Step& step : steps_) {
    step.reorder.Run(stream_, pointers_[step.input], base + step.offset, base);
    pointers_[step.input] = base + step.offset;
  }
  return pointers_.data();
}

}  // namespace residua::cpu
