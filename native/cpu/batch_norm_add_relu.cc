// max(batchNorm(x) + residual, 0), the end of a residual block, and its gradients. In blocks of channels by residua's
// own kernels; in other layouts BatchNorm as its own op runs it, and a loop over its result that adds, clips and keeps
// for each value whether it was let through.
#include "cpu/batch_norm_blocks.h"
#include "cpu/cpu_plan.h"
#include "cpu/element.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements a thread gets at least

// One byte a value of an image laid out as `image`, in the order in which the values lie: 1 where the ReLU let it
// through.
class AddReluMaskLayout : public Layout {
 public:
  explicit AddReluMaskLayout(const MemoryDesc& image) : image_(image) {}
  const MemoryDesc& image() const { return image_; }
  void AppendKey(std::string* key) const override {
    key->push_back('m');
    DnnlLayout(image_).AppendKey(key);
  }

 private:
  MemoryDesc image_;
};

// y = max(y + residual, 0). NaN is let through.
template <class T>
RESIDUA_INLINE void AddReluLoop(void* y_bytes, const void* residual_bytes, uint8_t* mask, int64_t count) {
  T* y = static_cast<T*>(y_bytes);
  const T* residual = static_cast<const T*>(residual_bytes);
  for (int64_t i = 0; i < count; ++i) {
    const float sum = Load(y[i]) + Load(residual[i]);
    y[i] = Store<T>(sum < 0 ? 0 : sum);
    mask[i] = !(sum <= 0);
  }
}

// dsum = mask ? dy [+ more] : 0
template <class T>
RESIDUA_INLINE void MaskLoop(const void* dy_bytes, const void* more_bytes, const uint8_t* mask, void* dsum_bytes,
                             int64_t count) {
  const T *dy = static_cast<const T*>(dy_bytes), *more = static_cast<const T*>(more_bytes);
  T* __restrict dsum = static_cast<T*>(dsum_bytes);
  if (more) {
    for (int64_t i = 0; i < count; ++i) dsum[i] = mask[i] ? Store<T>(Load(dy[i]) + Load(more[i])) : T{};
  } else {
    for (int64_t i = 0; i < count; ++i) dsum[i] = mask[i] ? dy[i] : T{};
  }
}

RESIDUA_SIMD void AddReluFloat(void* y, const void* r, uint8_t* m, int64_t n) { AddReluLoop<float>(y, r, m, n); }
RESIDUA_SIMD void AddReluBFloat16(void* y, const void* r, uint8_t* m, int64_t n) { AddReluLoop<BFloat16>(y, r, m, n); }
void AddReluFloat16(void* y, const void* r, uint8_t* m, int64_t n) { AddReluLoop<Float16>(y, r, m, n); }
RESIDUA_SIMD void MaskFloat(const void* dy, const void* more, const uint8_t* m, void* dsum, int64_t n) {
  MaskLoop<float>(dy, more, m, dsum, n);
}
RESIDUA_SIMD void MaskBFloat16(const void* dy, const void* more, const uint8_t* m, void* dsum, int64_t n) {
  MaskLoop<BFloat16>(dy, more, m, dsum, n);
}
void MaskFloat16(const void* dy, const void* more, const uint8_t* m, void* dsum, int64_t n) {
  MaskLoop<Float16>(dy, more, m, dsum, n);
}

using AddReluKernel = void (*)(void* y, const void* residual, uint8_t* mask, int64_t count);
using MaskKernel = void (*)(const void* dy, const void* more, const uint8_t* mask, void* dsum, int64_t count);

template <class Kernel>
Kernel Select(DType dtype, Kernel float32, Kernel bfloat16, Kernel float16) {
  switch (dtype) {
    case DType::kFloat32:
      return float32;
    case DType::kBFloat16:
      return bfloat16;
    case DType::kFloat16:
      return float16;
    default:
      throw Error(ErrorCode::kDType, std::string("Expected a floating-point type, got ") + Name(dtype) + ".");
  }
}

int64_t StoredElements(const TensorDesc& desc) { return static_cast<int64_t>(desc.bytes / SizeOf(desc.dtype)); }

// The op record of the BatchNorm inside.
Op NormOp(OpKind kind, const Op& op) {
  BatchNormParams params = std::get<BatchNormParams>(op.params);
  params.relu = 0;
  return {kind, params};
}

class ForwardPlan : public CpuPlan {
 public:
  // `norm`: the BatchNorm of x alone, which settles the layout of y.
  ForwardPlan(const CpuContext& context, PlanPtr norm, const Descs& inputs, Descs plan_outputs)
      : norm_(std::move(norm)), reorders_(context.engine, context.stream, inputs.size()) {
    outputs = std::move(plan_outputs);
    std::copy(norm_->outputs.begin(), norm_->outputs.end(), outputs.begin());
    const TensorDesc& y = outputs[0];
    kernel_ = Select<AddReluKernel>(y.dtype, AddReluFloat, AddReluBFloat16, AddReluFloat16);
    count_ = StoredElements(y);
    size_ = static_cast<int64_t>(SizeOf(y.dtype));
    scratch_bytes = norm_->scratch_bytes;
    reorders_.Add(1, MemoryDescOf(inputs[1]), MemoryDescOf(y), &scratch_bytes);
    if (outputs.size() == 4) {
      outputs[3].layout = std::make_shared<AddReluMaskLayout>(MemoryDescOf(y));
      outputs[3].bytes = static_cast<size_t>(count_);
    } else {
      mask_offset_ = TakeScratch(&scratch_bytes, static_cast<size_t>(count_));
    }
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    void* const norm_inputs[] = {inputs[0], inputs[2], inputs[3], inputs[4], inputs[5]};
    norm_->Run(norm_inputs, out, scratch);
    const char* residual = static_cast<const char*>(reorders_.Run(inputs, scratch)[1]);
    char* y = static_cast<char*>(out[0]);
    uint8_t* mask = static_cast<uint8_t*>(outputs.size() == 4 ? out[3] : static_cast<char*>(scratch) + mask_offset_);
    ParallelFor(count_, kGrain, [&](int64_t begin, int64_t end) {
      kernel_(y + begin * size_, residual + begin * size_, mask + begin, end - begin);
    });
  }

 private:
  PlanPtr norm_;
  InputReorders reorders_;
  AddReluKernel kernel_;
  int64_t count_, size_;
  size_t mask_offset_ = 0;  // outside training nobody reads it
};

class BackwardPlan : public CpuPlan {
 public:
  // `norm`: the backward pass of BatchNorm, whose dy is dresidual, laid out as output 1.
  BackwardPlan(const CpuContext& context, PlanPtr norm, const Descs& inputs, Descs plan_outputs)
      : norm_(std::move(norm)), reorders_(context.engine, context.stream, inputs.size()) {
    outputs = std::move(plan_outputs);
    outputs[0] = norm_->outputs[0];
    const TensorDesc& dresidual = outputs[1];
    count_ = StoredElements(dresidual);
    size_ = static_cast<int64_t>(SizeOf(dresidual.dtype));
    kernel_ = Select<MaskKernel>(dresidual.dtype, MaskFloat, MaskBFloat16, MaskFloat16);
    has_more_ = inputs.size() > 7;
    scratch_bytes = norm_->scratch_bytes;
    reorders_.Add(1, MemoryDescOf(inputs[1]), MemoryDescOf(dresidual), &scratch_bytes);
    if (has_more_) reorders_.Add(7, MemoryDescOf(inputs[7]), MemoryDescOf(dresidual), &scratch_bytes);
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    const void* const* read_from = reorders_.Run(inputs, scratch);
    const char* dy = static_cast<const char*>(read_from[1]);
    const char* more = has_more_ ? static_cast<const char*>(read_from[7]) : nullptr;
    const uint8_t* mask = static_cast<const uint8_t*>(inputs[6]);
    char* dresidual = static_cast<char*>(out[1]);
    ParallelFor(count_, kGrain, [&](int64_t begin, int64_t end) {
      kernel_(dy + begin * size_, more ? more + begin * size_ : nullptr, mask + begin, dresidual + begin * size_,
              end - begin);
    });
    void* const norm_inputs[] = {inputs[0], dresidual, inputs[2], inputs[3], inputs[4], inputs[5]};
    void* const norm_outputs[] = {out[0], out[2], out[3]};
    norm_->Run(norm_inputs, norm_outputs, scratch);
  }

 private:
  PlanPtr norm_;
  InputReorders reorders_;
  MaskKernel kernel_;
  int64_t count_, size_;
  bool has_more_;
};

}  // namespace

PlanPtr PrepareBatchNormAddRelu(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  if (SuitsBlockedBatchNorm(inputs[0])) {
    return MakeBlockedBatchNorm(context, std::get<BatchNormParams>(op.params), inputs, std::move(outputs), true);
  }
  const Descs norm_inputs = {inputs[0], inputs[2], inputs[3], inputs[4], inputs[5]};
  const bool training = outputs.size() == 4;
  const Descs norm_outputs(outputs.begin(), outputs.begin() + (training ? 3 : 1));
  PlanPtr norm = PrepareBatchNorm(context, NormOp(OpKind::kBatchNorm, op), norm_inputs, norm_outputs);
  return std::make_shared<ForwardPlan>(context, std::move(norm), inputs, std::move(outputs));
}

PlanPtr PrepareBatchNormAddReluBackward(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  if (SuitsBlockedBatchNorm(inputs[0])) {
    return MakeBlockedBatchNormBackward(context, std::get<BatchNormParams>(op.params), inputs, std::move(outputs),
                                        true);
  }
  const auto* mask = dynamic_cast<const AddReluMaskLayout*>(inputs[6].layout.get());
  if (!mask || DimsOf(mask->image()) != Dims(inputs[0].shape) ||
      DataTypeOf(mask->image()) != DnnlType(inputs[0].dtype)) {
    throw Error(ErrorCode::kNative, "batchNormAddReluBackward expected the mask that its own batchNormAddRelu gave.");
  }
  SetLayout(&outputs[1], mask->image());
  const Descs norm_inputs = {inputs[0], outputs[1], inputs[2], inputs[3], inputs[4], inputs[5]};
  const Descs norm_outputs = {outputs[0], outputs[2], outputs[3]};
  PlanPtr norm = PrepareBatchNormBackward(context, NormOp(OpKind::kBatchNormBackward, op), norm_inputs, norm_outputs);
  return std::make_shared<BackwardPlan>(context, std::move(norm), inputs, std::move(outputs));
}

}  // namespace residua::cpu
