// Faults and scratch of plans, and the base that brings inputs to the layout an op wants.
#include "cuda/cuda_plan.h"

#include <numeric>
#include <string>

namespace residua::cuda {

std::vector<void*> PointersOf(const std::vector<Tensor>& tensors) {
  std::vector<void*> pointers;
  pointers.reserve(tensors.size());
  for (const Tensor& tensor : tensors) pointers.push_back(tensor.storage->data());
  return pointers;
}

namespace {

constexpr size_t kScratchAlignment = 256;

size_t Align(size_t bytes) { return (bytes + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment; }

// Null, or the one NhwcLayout: opaque bytes have layouts of their own.
bool SameLayout(const TensorDesc& a, const TensorDesc& b) {
  if (a.layout == b.layout) return true;
  if (!a.layout || !b.layout) return false;
  std::string key_a, key_b;
  a.layout->AppendKey(&key_a);
  b.layout->AppendKey(&key_b);
  return key_a == key_b;
}

}  // namespace

Error CudaPlan::FaultError(int32_t code, int32_t found) const {
  const std::string index = std::to_string(static_cast<int64_t>(code) - 1);
  return Error(ErrorCode::kData,
               "An input has a value that the op cannot take: " + std::to_string(found) + " at element " + index + ".",
               {{"index", index}, {"found", std::to_string(found)}});
}

size_t CudaPlan::TakeScratch(size_t bytes) {
  const size_t offset = Align(scratch_bytes);
  scratch_bytes = offset + Align(bytes);
  return offset;
}

ConvertingPlan::ConvertingPlan(const CudaContext& context, const Descs& inputs, const Descs& wanted, Descs plan_outputs)
    : CudaPlan(context), pointers_(inputs.size()) {
  outputs = std::move(plan_outputs);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (SameLayout(inputs[i], wanted[i])) continue;
    conversions_.push_back({i, inputs[i], wanted[i], TakeScratch(wanted[i].bytes)});
  }
}

void ConvertingPlan::ReserveScratch(size_t bytes) { own_offset_ = TakeScratch(bytes); }

void ConvertingPlan::Launch(const LaunchArgs& args) {
  for (size_t i = 0; i < pointers_.size(); ++i) pointers_[i] = args.inputs[i];
  for (const Conversion& conversion : conversions_) {
    void* converted = args.scratch + conversion.offset;
    LaunchConvertLayout(context(), conversion.from, args.inputs[conversion.input], conversion.to, converted);
    pointers_[conversion.input] = converted;
  }
  LaunchArgs own = args;
  own.inputs = pointers_.data();
  own.scratch = args.scratch + own_offset_;
  LaunchConverted(own);
}

Descs AllPlain(const Descs& inputs) {
  Descs wanted;
  for (const TensorDesc& input : inputs) wanted.push_back(PlainLike(input));
  return wanted;
}

Descs ImagesNhwc(const Descs& inputs) {
  Descs wanted;
  for (const TensorDesc& input : inputs) {
    wanted.push_back(input.shape.size() == 4 ? NhwcLike(input) : PlainLike(input));
  }
  return wanted;
}

std::vector<int> AllOf(const Descs& inputs) {
  std::vector<int> all(inputs.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

Descs AllLike(const Descs& inputs, size_t reference) {
  Descs wanted;
  for (const TensorDesc& input : inputs) {
    TensorDesc like = PlainLike(input);
    like.layout = inputs[reference].layout;
    wanted.push_back(std::move(like));
  }
  return wanted;
}

}  // namespace residua::cuda
