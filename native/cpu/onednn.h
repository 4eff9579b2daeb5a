// oneDNN 2.x and 3.x behind one set of calls. 2.x makes a primitive descriptor from an operation descriptor; 3.x has no
// operation descriptors, takes the engine first and attributes last, and hides the fields of memory descriptors.
#pragma once
#include <dnnl.hpp>
#include <string>
#include <vector>

#if DNNL_VERSION_MAJOR < 2 || (DNNL_VERSION_MAJOR == 2 && DNNL_VERSION_MINOR < 6)
#error "residua needs oneDNN 2.6 or later"
#endif

namespace residua::cpu {

using Dims = dnnl::memory::dims;
using MemoryDesc = dnnl::memory::desc;

// How a memory descriptor arranges its elements: outer dimensions with strides, then inner blocks of the dimensions
// named. nChw16c of [2, 3, 6, 6]: dims [2, 3, 6, 6], padded_dims [2, 16, 6, 6], strides [576, 576, 96, 16],
// inner_blocks [16], inner_dims [1].
struct Blocking {
  bool valid = false;  // false: not a blocked format (Winograd's transformed weights, for instance)
  Dims dims, padded_dims, strides, inner_blocks, inner_dims;
};

// The descriptor of an op of type `Primitive`; `args` as oneDNN lists them, without engine and attributes.
#if DNNL_VERSION_MAJOR >= 3

template <class Primitive, class... Args>
typename Primitive::primitive_desc MakeDesc(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                            const Args&... args) {
  return typename Primitive::primitive_desc(engine, args..., attr);
}

template <class Primitive, class Hint, class... Args>
typename Primitive::primitive_desc MakeDescWithHint(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                                    const Hint& hint, const Args&... args) {
  return typename Primitive::primitive_desc(engine, args..., hint, attr);
}

inline auto MakeBatchNormForward(const dnnl::engine& engine, const dnnl::primitive_attr& attr, dnnl::prop_kind kind,
                                 const MemoryDesc& data, float epsilon, dnnl::normalization_flags flags) {
  return MakeDesc<dnnl::batch_normalization_forward>(engine, attr, kind, data, data, epsilon, flags);
}

inline auto MakeBatchNormBackward(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                  const dnnl::batch_normalization_forward::primitive_desc& hint, const MemoryDesc& data,
                                  float epsilon, dnnl::normalization_flags flags) {
  return MakeDescWithHint<dnnl::batch_normalization_backward>(engine, attr, hint, dnnl::prop_kind::backward, data, data,
                                                              data, epsilon, flags);
}

inline auto MakePoolForward(const dnnl::engine& engine, const dnnl::primitive_attr& attr, dnnl::algorithm algorithm,
                            const MemoryDesc& src, const MemoryDesc& dst, const Dims& strides, const Dims& kernel,
                            const Dims& padding) {
  return MakeDesc<dnnl::pooling_forward>(engine, attr, dnnl::prop_kind::forward_training, algorithm, src, dst, strides,
                                         kernel, Dims(kernel.size(), 0), padding, padding);
}

inline auto MakePoolBackward(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                             const dnnl::pooling_forward::primitive_desc& hint, dnnl::algorithm algorithm,
                             const MemoryDesc& diff_src, const MemoryDesc& diff_dst, const Dims& strides,
                             const Dims& kernel, const Dims& padding) {
  return MakeDescWithHint<dnnl::pooling_backward>(engine, attr, hint, algorithm, diff_src, diff_dst, strides, kernel,
                                                  Dims(kernel.size(), 0), padding, padding);
}

inline Dims DimsOf(const MemoryDesc& desc) { return desc.get_dims(); }
inline dnnl::memory::data_type DataTypeOf(const MemoryDesc& desc) { return desc.get_data_type(); }

inline Blocking BlockingOf(const MemoryDesc& desc) {
  Blocking blocking;
  blocking.valid = desc.get_format_kind() == dnnl::memory::format_kind::blocked;
  if (!blocking.valid) return blocking;
  blocking.dims = desc.get_dims();
  blocking.padded_dims = desc.get_padded_dims();
  blocking.strides = desc.get_strides();
  blocking.inner_blocks = desc.get_inner_blks();
  blocking.inner_dims = desc.get_inner_idxs();
  return blocking;
}

// Of a part of another descriptor's memory: where it begins.
inline int64_t FirstElementOf(const MemoryDesc& desc) { return desc.get_submemory_offset(); }

// The same arrangement with elements of another type. 3.x has no call for it, so the formats in use are tried by name.
inline MemoryDesc WithDataType(const MemoryDesc& desc, dnnl::memory::data_type type) {
  using Tag = dnnl::memory::format_tag;
  if (desc.get_data_type() == type) return desc;
  const Dims dims = desc.get_dims();
  if (desc.get_inner_nblks() == 0) return MemoryDesc(dims, type, desc.get_strides());
  if (dims.size() == 4) {
    for (Tag tag : {Tag::nChw16c, Tag::nChw8c, Tag::nChw4c, Tag::OIhw16i16o, Tag::OIhw16o16i, Tag::Oihw16o,
                    Tag::Ohwi16o, Tag::OIhw8i8o, Tag::OIhw8o8i, Tag::Ohwi8o, Tag::OIhw8i16o2i, Tag::OIhw8o16i2o}) {
      if (MemoryDesc(dims, desc.get_data_type(), tag) == desc) return MemoryDesc(dims, type, tag);
    }
  }
  throw dnnl::error(dnnl_unimplemented, "this layout is not known for elements of another type");
}

#else  // 2.x

template <class Primitive, class... Args>
typename Primitive::primitive_desc MakeDesc(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                            const Args&... args) {
  return typename Primitive::primitive_desc(typename Primitive::desc(args...), attr, engine);
}

template <class Primitive, class Hint, class... Args>
typename Primitive::primitive_desc MakeDescWithHint(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                                    const Hint& hint, const Args&... args) {
  return typename Primitive::primitive_desc(typename Primitive::desc(args...), attr, engine, hint);
}

inline auto MakeBatchNormForward(const dnnl::engine& engine, const dnnl::primitive_attr& attr, dnnl::prop_kind kind,
                                 const MemoryDesc& data, float epsilon, dnnl::normalization_flags flags) {
  return MakeDesc<dnnl::batch_normalization_forward>(engine, attr, kind, data, epsilon, flags);
}

inline auto MakeBatchNormBackward(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                  const dnnl::batch_normalization_forward::primitive_desc& hint, const MemoryDesc& data,
                                  float epsilon, dnnl::normalization_flags flags) {
  return MakeDescWithHint<dnnl::batch_normalization_backward>(engine, attr, hint, dnnl::prop_kind::backward, data, data,
                                                              epsilon, flags);
}

inline auto MakePoolForward(const dnnl::engine& engine, const dnnl::primitive_attr& attr, dnnl::algorithm algorithm,
                            const MemoryDesc& src, const MemoryDesc& dst, const Dims& strides, const Dims& kernel,
                            const Dims& padding) {
  return MakeDesc<dnnl::pooling_forward>(engine, attr, dnnl::prop_kind::forward_training, algorithm, src, dst, strides,
                                         kernel, padding, padding);
}

inline auto MakePoolBackward(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                             const dnnl::pooling_forward::primitive_desc& hint, dnnl::algorithm algorithm,
                             const MemoryDesc& diff_src, const MemoryDesc& diff_dst, const Dims& strides,
                             const Dims& kernel, const Dims& padding) {
  return MakeDescWithHint<dnnl::pooling_backward>(engine, attr, hint, algorithm, diff_src, diff_dst, strides, kernel,
                                                  padding, padding);
}

inline Dims DimsOf(const MemoryDesc& desc) { return Dims(desc.data.dims, desc.data.dims + desc.data.ndims); }
inline dnnl::memory::data_type DataTypeOf(const MemoryDesc& desc) {
  return static_cast<dnnl::memory::data_type>(desc.data.data_type);
}

inline Blocking BlockingOf(const MemoryDesc& desc) {
  Blocking blocking;
  blocking.valid = desc.data.format_kind == dnnl_blocked;
  if (!blocking.valid) return blocking;
  const dnnl_blocking_desc_t& format = desc.data.format_desc.blocking;
  const int ndims = desc.data.ndims;
  blocking.dims = DimsOf(desc);
  blocking.padded_dims.assign(desc.data.padded_dims, desc.data.padded_dims + ndims);
  blocking.strides.assign(format.strides, format.strides + ndims);
  blocking.inner_blocks.assign(format.inner_blks, format.inner_blks + format.inner_nblks);
  blocking.inner_dims.assign(format.inner_idxs, format.inner_idxs + format.inner_nblks);
  return blocking;
}

inline int64_t FirstElementOf(const MemoryDesc& desc) { return desc.data.offset0; }

// The same arrangement with elements of another type.
inline MemoryDesc WithDataType(const MemoryDesc& desc, dnnl::memory::data_type type) {
  MemoryDesc changed = desc;
  changed.data.data_type = static_cast<dnnl_data_type_t>(type);
  return changed;
}

#endif

inline void AppendRelu(dnnl::post_ops* after) {
#if DNNL_VERSION_MAJOR >= 3
  after->append_eltwise(dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
#else
  after->append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
#endif
}

// Scratch memory comes from the caller: one scratchpad serves every primitive.
inline dnnl::primitive_attr UserScratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

// How many inputs the primitive takes; it refuses any other number.
inline int InputCount(const dnnl::primitive_desc_base& desc) {
  int count = 0;
  dnnl::error::wrap_c_api(dnnl_primitive_desc_query(desc.get(), dnnl_query_num_of_inputs_s32, 0, &count),
                          "could not query the number of inputs");
  return count;
}

// "oneDNN 2.6.3": the library that is loaded, not the headers.
inline std::string LibraryVersion() {
  const dnnl_version_t* version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

}  // namespace residua::cpu
