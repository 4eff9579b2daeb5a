// oneDNN layouts as layouts of tensors, and the two bases for kernels of our own.
#include "cpu/cpu_plan.h"

#include <numeric>

namespace residua::cpu {
namespace {

void AppendNumber(std::string* key, int64_t value) {
  key->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendDims(std::string* key, const Dims& dims) {
  AppendNumber(key, static_cast<int64_t>(dims.size()));
  for (int64_t value : dims) AppendNumber(key, value);
}

void AppendBlocking(std::string* key, const MemoryDesc& desc) {
  const Blocking blocking = BlockingOf(desc);
  for (const Dims* part : {&blocking.padded_dims, &blocking.strides, &blocking.inner_blocks, &blocking.inner_dims}) {
    AppendDims(key, *part);
  }
}

}  // namespace

dnnl::memory::data_type DnnlType(DType dtype) {
  using Type = dnnl::memory::data_type;
  switch (dtype) {
    case DType::kFloat32:
      return Type::f32;
    case DType::kBFloat16:
      return Type::bf16;
    case DType::kFloat16:
      return Type::f16;
    case DType::kInt32:
      return Type::s32;
    case DType::kUInt8:
      return Type::u8;
  }
  return Type::undef;
}

MemoryDesc AnyMemoryDesc(DType dtype, const Dims& dims) {
  return MemoryDesc(dims, DnnlType(dtype), dnnl::memory::format_tag::any);
}

void DnnlLayout::AppendKey(std::string* key) const {
  key->push_back('d');
  AppendBlocking(key, desc_);
}

void WorkspaceLayout::AppendKey(std::string* key) const {
  key->push_back('w');
  for (const MemoryDesc* desc : {&src_, &dst_}) {
    AppendNumber(key, static_cast<int64_t>(DataTypeOf(*desc)));
    AppendDims(key, DimsOf(*desc));
    AppendBlocking(key, *desc);
  }
  AppendDims(key, window_);
}

MemoryDesc PlainMemoryDesc(DType dtype, const Shape& shape) {
  const Dims dims = shape.empty() ? Dims{1} : Dims(shape.begin(), shape.end());
  return MemoryDesc(dims, DnnlType(dtype), RowMajorStrides(dims));
}

MemoryDesc MemoryDescOf(const TensorDesc& desc) {
  if (desc.plain()) return PlainMemoryDesc(desc.dtype, desc.shape);
  const auto* layout = dynamic_cast<const DnnlLayout*>(desc.layout.get());
  if (!layout)
    throw Error(ErrorCode::kNative, "These are an op's internal bytes: only its own backward pass can read them.");
  return WithDataType(layout->desc(), DnnlType(desc.dtype));
}

void SetLayout(TensorDesc* desc, const MemoryDesc& md) {
  desc->layout = IsPlainInMemory(md) ? nullptr : std::make_shared<DnnlLayout>(md);
  desc->bytes = md.get_size();
}

bool SameLayout(const TensorDesc& a, const TensorDesc& b) {
  if (a.layout == b.layout) return true;
  if (!a.layout || !b.layout) return false;
  std::string key_a, key_b;
  a.layout->AppendKey(&key_a);
  b.layout->AppendKey(&key_b);
  return key_a == key_b;
}

std::vector<int> AllOf(const Descs& inputs) {
  std::vector<int> all(inputs.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

bool HasPadding(const TensorDesc& desc) {
  return desc.bytes > static_cast<size_t>(NumElements(desc.shape)) * SizeOf(desc.dtype);
}

PlainPlan::PlainPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs)
    : reorders_(context.engine, context.stream, inputs.size()) {
  outputs = std::move(plan_outputs);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].plain()) continue;
    const MemoryDesc from = MemoryDescOf(inputs[i]);
    reorders_.Add(i, from, PlainLike(from), &scratch_bytes);
  }
}

void PlainPlan::ReserveScratch(size_t bytes) { own_offset_ = TakeScratch(&scratch_bytes, bytes); }

void PlainPlan::Run(void* const* inputs, void* const* out, void* scratch) {
  RunPlain(reorders_.Run(inputs, scratch), out, static_cast<char*>(scratch) + own_offset_);
}

FlatPlan::FlatPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, size_t reference)
    : reorders_(context.engine, context.stream, inputs.size()) {
  outputs = std::move(plan_outputs);
  const TensorDesc& model = inputs[reference];
  const MemoryDesc model_md = MemoryDescOf(model);
  count_ = static_cast<int64_t>(model_md.get_size() / SizeOf(model.dtype));
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (SameLayout(inputs[i], model)) continue;
    reorders_.Add(i, MemoryDescOf(inputs[i]), WithDataType(model_md, DnnlType(inputs[i].dtype)), &scratch_bytes);
  }
}

void FlatPlan::Run(void* const* inputs, void* const* out, void* scratch) {
  RunFlat(reorders_.Run(inputs, scratch), out, count_);
}

}  // namespace residua::cpu
