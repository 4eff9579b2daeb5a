// What every op of the CPU backend is made of: how it is prepared, oneDNN layouts, two bases for kernels of our own.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/backend.h"
#include "cpu/input_reorders.h"
#include "cpu/onednn.h"
#include "cpu/parallel_for.h"

namespace residua::cpu {

class AlgorithmTuner;  // cpu/algorithm_tuner.h

struct CpuContext {
  dnnl::engine engine;
  dnnl::stream stream;  // the execution thread's
  int threads = 1;
  AlgorithmTuner* tuner = nullptr;  // null: no timing, direct convolutions
};

class CpuPlan : public Plan {
 public:
  // Runs on the execution thread, with memory laid out as prepared.
  virtual void Run(void* const* inputs, void* const* outputs, void* scratch) = 0;
  // How it is computed, as oneDNN names it ("jit_wino_4x3:avx512_core"); empty for loops of residua's own.
  virtual std::string Algorithm() const { return ""; }
};

using PlanPtr = std::shared_ptr<CpuPlan>;
using Descs = std::vector<TensorDesc>;

// One for each op kind, in the file of the op's name; the table is in cpu_backend.cc.
using PrepareFn = PlanPtr (*)(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs);

// clang-format has no stable form for this list.
// clang-format off
#define RESIDUA_CPU_OPS(V) \
  V(Conv2d) V(Conv2dBackwardData) V(Conv2dBackwardWeights) V(BatchNorm) V(BatchNormBackward) \
  V(BatchNormAddRelu) V(BatchNormAddReluBackward) V(Relu) V(ReluBackward) V(AddRelu) V(MaxPool2d) \
  V(MaxPool2dBackward) V(AvgPool2d) V(AvgPool2dBackward) V(Dense) V(DenseBackwardData) V(DenseBackwardWeights) \
  V(Add) V(Sub) V(Mul) V(Div) V(Equal) V(Sum) V(Mean) V(Argmax) V(Softmax) V(SoftmaxBackward) V(LogSoftmax) \
  V(LogSoftmaxBackward) V(SoftmaxCrossEntropy) V(SoftmaxCrossEntropyBackward) V(Reshape) V(BroadcastTo) \
  V(Cast) V(Copy) V(Assign) V(ResizeBilinear) V(Dropout) V(DropoutBackward) V(Sgd) V(AdamW) V(GatherRows) V(AllFinite) \
  V(Conv2dFused) V(FoldBatchNorm) V(AddReluBackward)
// clang-format on

#define RESIDUA_DECLARE_PREPARE(Name) \
  PlanPtr Prepare##Name(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs);
RESIDUA_CPU_OPS(RESIDUA_DECLARE_PREPARE)
#undef RESIDUA_DECLARE_PREPARE

// A oneDNN memory descriptor that is not plain. Its dims are the logical shape; its element type is that of the
// TensorDesc.
class DnnlLayout : public Layout {
 public:
  explicit DnnlLayout(const MemoryDesc& desc) : desc_(desc) {}
  const MemoryDesc& desc() const { return desc_; }
  void AppendKey(std::string* key) const override;

 private:
  MemoryDesc desc_;
};

// Bytes that only the op which wrote them (and its backward pass) can read: BatchNorm's ReLU mask, max pooling's
// argmax. `src`, `dst` and `window` (kernel, strides, padding of a pooling) are those of the forward pass, from which
// the backward pass makes its primitive.
class WorkspaceLayout : public Layout {
 public:
  WorkspaceLayout(const MemoryDesc& src, const MemoryDesc& dst, Dims window = {})
      : src_(src), dst_(dst), window_(std::move(window)) {}
  const MemoryDesc& src() const { return src_; }
  const MemoryDesc& dst() const { return dst_; }
  const Dims& window() const { return window_; }
  void AppendKey(std::string* key) const override;

 private:
  MemoryDesc src_, dst_;
  Dims window_;
};

// TensorDesc <-> oneDNN's descriptor. A scalar (shape []) is [1] to oneDNN.
MemoryDesc MemoryDescOf(const TensorDesc& desc);
MemoryDesc PlainMemoryDesc(DType dtype, const Shape& shape);
dnnl::memory::data_type DnnlType(DType dtype);
// The layout is left to oneDNN.
MemoryDesc AnyMemoryDesc(DType dtype, const Dims& dims);
// Sets layout and bytes of `desc` from `md` (ones that are plain in memory become a null layout). Type and logical
// shape stay.
void SetLayout(TensorDesc* desc, const MemoryDesc& md);
bool SameLayout(const TensorDesc& a, const TensorDesc& b);
// Whether the layout has elements beyond the logical ones (channels rounded up to the block).
bool HasPadding(const TensorDesc& desc);

// Base of kernels that want plain inputs and give plain outputs: inputs in another layout are reordered into the
// scratch first.
class PlainPlan : public CpuPlan {
 public:
  PlainPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs);
  void Run(void* const* inputs, void* const* outputs, void* scratch) final;

 protected:
  // `scratch` is what ReserveScratch asked for, 64-byte aligned.
  virtual void RunPlain(const void* const* inputs, void* const* outputs, void* scratch) = 0;
  void ReserveScratch(size_t bytes);

 private:
  InputReorders reorders_;
  size_t own_offset_ = 0;
};

// 0, 1, ...: each of the inputs.
std::vector<int> AllOf(const Descs& inputs);

// Base of elementwise kernels over tensors of one layout, whatever it is: `count` elements in storage order, padding
// included. Inputs in another layout than that of input `reference` are reordered to it. Outputs keep the layouts they
// come with.
class FlatPlan : public CpuPlan {
 public:
  FlatPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, size_t reference = 0);
  void Run(void* const* inputs, void* const* outputs, void* scratch) final;

 protected:
  virtual void RunFlat(const void* const* inputs, void* const* outputs, int64_t count) = 0;

 private:
  InputReorders reorders_;
  int64_t count_ = 0;
};

}  // namespace residua::cpu
