// A product of two matrices by oneDNN.
#include "cpu/matrix_product.h"

namespace residua::cpu {

MatrixProduct::MatrixProduct(const dnnl::engine& engine, const MemoryDesc& a, const MemoryDesc& b,
                             const MemoryDesc& bias, const MemoryDesc& c, const dnnl::post_ops& after) {
  dnnl::primitive_attr attributes = UserScratchpad();
  attributes.set_post_ops(after);
  const auto desc = MakeDesc<dnnl::matmul>(engine, attributes, a, b, bias, c);
  primitive_ = dnnl::matmul(desc);
  const auto add = [&](int argument, const MemoryDesc& md) {
    arguments_[argument] = dnnl::memory(md, engine, DNNL_MEMORY_NONE);
  };
  add(DNNL_ARG_SRC, a);
  add(DNNL_ARG_WEIGHTS, b);
  add(DNNL_ARG_DST, c);
  add(DNNL_ARG_SCRATCHPAD, desc.scratchpad_desc());
  if (bias.get_size() > 0) add(DNNL_ARG_BIAS, bias);
}

void MatrixProduct::Run(const dnnl::stream& stream, const void* a, const void* b, const void* bias, void* c,
                        void* scratch) {
  const auto set = [&](int argument, const void* data) {
    arguments_.at(argument).set_data_handle(const_cast<void*>(data));
  };
  set(DNNL_ARG_SRC, a);
  set(DNNL_ARG_WEIGHTS, b);
  set(DNNL_ARG_DST, c);
  set(DNNL_ARG_SCRATCHPAD, scratch);
  if (bias) set(DNNL_ARG_BIAS, bias);
  primitive_.execute(stream, arguments_);
}

}  // namespace residua::cpu
