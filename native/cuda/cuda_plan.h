// READ FIRST in cuda/. What every op of the CUDA backend is made of: how it is prepared, how it is launched, and three
// bases that bring inputs to the layout an op wants.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "core/backend.h"
#include "cuda/check.h"
#include "cuda/context.h"
#include "cuda/layout.h"

namespace residua::cuda {

// Device pointers for one launch, in the order of the op's inputs and outputs.
struct LaunchArgs {
  void* const* inputs = nullptr;
  void* const* outputs = nullptr;
  char* scratch = nullptr;  // scratch_bytes of it, 256-byte aligned; shared by all ops of the stream
  // For a plan whose `can_fault` is set: two words of device memory, 0 before. The kernel writes 1 + the index of the
  // first element that is wrong into fault[0], and what it found there into fault[1]. fault[0] is a guard for others.
  int32_t* fault = nullptr;
  // For a plan that updates inputs in place (`updates_in_place`): words that earlier kernels may have set. Where any is
  // not 0 nothing may be updated.
  static constexpr size_t kMostGuards = 4;
  const int32_t* guards[kMostGuards] = {};
  int guard_count = 0;
};

std::vector<void*> PointersOf(const std::vector<Tensor>& tensors);

class CudaPlan : public Plan {
 public:
  explicit CudaPlan(const CudaContext& context) : context_(context) {}
  // Enqueues the op on context().stream. On the JavaScript thread; throws Error.
  virtual void Launch(const LaunchArgs& args) = 0;
  // The error behind two fault words that hold `code` (not 0) and `found` (`can_fault` plans only).
  virtual Error FaultError(int32_t code, int32_t found) const;

  bool can_fault = false;
  bool updates_in_place = false;

 protected:
  const CudaContext& context() const { return context_; }
  // Takes `bytes` of the scratch: the offset, 256-byte aligned.
  size_t TakeScratch(size_t bytes);

 private:
  const CudaContext& context_;  // the backend's, which outlives its plans
};

using PlanPtr = std::shared_ptr<CudaPlan>;
using Descs = std::vector<TensorDesc>;

// One for each op kind, in the file of the op's name; the table is in cuda_backend.cc. `outputs` come with type and
// logical shape, plain; the plan settles layout and bytes.
using PrepareFn = PlanPtr (*)(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs);

// clang-format has no stable form for this list.
// clang-format off
#define RESIDUA_CUDA_OPS(V) \
  V(Conv2d) V(Conv2dBackwardData) V(Conv2dBackwardWeights) V(BatchNorm) V(BatchNormBackward) \
  V(BatchNormAddRelu) V(BatchNormAddReluBackward) V(Relu) V(ReluBackward) V(AddRelu) V(MaxPool2d) \
  V(MaxPool2dBackward) V(AvgPool2d) V(AvgPool2dBackward) V(Dense) V(DenseBackwardData) V(DenseBackwardWeights) \
  V(Add) V(Sub) V(Mul) V(Div) V(Equal) V(Sum) V(Mean) V(Argmax) V(Softmax) V(SoftmaxBackward) V(LogSoftmax) \
  V(LogSoftmaxBackward) V(SoftmaxCrossEntropy) V(SoftmaxCrossEntropyBackward) V(Reshape) V(BroadcastTo) \
  V(Cast) V(Copy) V(Assign) V(ResizeBilinear) V(Dropout) V(DropoutBackward) V(Sgd) V(AdamW) V(GatherRows) \
  V(AllFinite) V(Conv2dFused) V(FoldBatchNorm) V(AddReluBackward)
// clang-format on

#define RESIDUA_DECLARE_PREPARE(Name) \
  PlanPtr Prepare##Name(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs);
RESIDUA_CUDA_OPS(RESIDUA_DECLARE_PREPARE)
#undef RESIDUA_DECLARE_PREPARE

// Base of ops that want each input in a certain layout: `wanted[i]` is input i's desc as the op reads it. Those that
// come otherwise are converted into the scratch first.
class ConvertingPlan : public CudaPlan {
 public:
  ConvertingPlan(const CudaContext& context, const Descs& inputs, const Descs& wanted, Descs plan_outputs);
  void Launch(const LaunchArgs& args) final;

 protected:
  // As Launch, with inputs in the wanted layouts and `scratch` of what ReserveScratch asked for.
  virtual void LaunchConverted(const LaunchArgs& args) = 0;
  // To be called once, in the constructor of the derived class.
  void ReserveScratch(size_t bytes);

 private:
  struct Conversion {
    size_t input;
    TensorDesc from, to;
    size_t offset;
  };
  std::vector<Conversion> conversions_;
  std::vector<void*> pointers_;
  size_t own_offset_ = 0;
};

// Inputs as an op reads them: all plain; images and weights NHWC and the rest plain; all as input `reference` lies
// (elementwise ops over tensors of one shape: element i of each belongs to element i of the others).
Descs AllPlain(const Descs& inputs);
Descs ImagesNhwc(const Descs& inputs);
Descs AllLike(const Descs& inputs, size_t reference);

// 0, 1, ...: each of the inputs.
std::vector<int> AllOf(const Descs& inputs);

}  // namespace residua::cuda
