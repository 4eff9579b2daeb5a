// Changes of layout by residua's own loops, in place of those that oneDNN gets wrong.
#pragma once
#include <vector>

#include "cpu/onednn.h"

namespace residua::cpu {

// Elements are found by tables: what the index along each dimension adds to an element's place, in blocked layouts too.
// float32 and bfloat16; what fills up blocks becomes 0.
class TableReorder {
 public:
  TableReorder(const MemoryDesc& from, const MemoryDesc& to);
  void Run(const void* from, void* to) const;

 private:
  using Tables = std::vector<std::vector<int64_t>>;  // by dimension and index

  template <class From, class To>
  void Copy(const From* from, To* to) const;
  template <class From, class To>
  void CopyFrom(size_t dimension, bool is_inside, const From* from, To* to) const;

  dnnl::memory::data_type from_type_, to_type_;
  Tables from_, to_;  // `to_` also of the indices that fill up blocks
};

// Whether oneDNN is not to be trusted with this change of layout: that of weights between layouts with blocks of both
// kinds of channels, which these do not fill. Debian 13's oneDNN, 3.7.2, loses some of the elements and leaves the rest
// of the blocks as it was; whether the one at hand does is tried once.
bool NeedsTableReorder(const dnnl::engine& engine, const MemoryDesc& from, const MemoryDesc& to);

}  // namespace residua::cpu
