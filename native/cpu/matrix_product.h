// A product of two matrices by oneDNN: c = a b [+ bias], with post-ops.
#pragma once
#include <unordered_map>

#include "cpu/onednn.h"

namespace residua::cpu {

class MatrixProduct {
 public:
  // a [m, k], b [k, n], bias [1, n] or an empty descriptor, c [m, n]; `after` is done with each result.
  MatrixProduct(const dnnl::engine& engine, const MemoryDesc& a, const MemoryDesc& b, const MemoryDesc& bias,
                const MemoryDesc& c, const dnnl::post_ops& after);
  size_t scratch_bytes() const { return arguments_.at(DNNL_ARG_SCRATCHPAD).get_desc().get_size(); }
  // `bias` may be null where there is none.
  void Run(const dnnl::stream& stream, const void* a, const void* b, const void* bias, void* c, void* scratch);

 private:
  dnnl::matmul primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

}  // namespace residua::cpu
