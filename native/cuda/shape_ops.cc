// Ops that move values without computing: Reshape, Copy, Assign.
#include "cuda/cast_kernel.h"

namespace residua::cuda {
namespace {

// The output is the input's storage: nothing to do.
class AliasPlan : public CudaPlan {
 public:
  AliasPlan(const CudaContext& context, Descs plan_outputs) : CudaPlan(context) {
    outputs = std::move(plan_outputs);
    alias = {0};
  }
  void Launch(const LaunchArgs&) override {}
};

// A reshape of values that are not plain: they are made plain, in the input's shape.
class PlainReshapePlan : public CudaPlan {
 public:
  PlainReshapePlan(const CudaContext& context, const TensorDesc& x, Descs plan_outputs)
      : CudaPlan(context), x_(x), plain_(PlainLike(x)) {
    outputs = std::move(plan_outputs);
  }
  void Launch(const LaunchArgs& args) override {
    LaunchConvertLayout(context(), x_, args.inputs[0], plain_, args.outputs[0]);
  }

 private:
  TensorDesc x_, plain_;
};

class CopyPlan : public CudaPlan {
 public:
  CopyPlan(const CudaContext& context, Descs plan_outputs) : CudaPlan(context) { outputs = std::move(plan_outputs); }
  void Launch(const LaunchArgs& args) override {
    RESIDUA_CUDA(
        cudaMemcpyAsync(args.outputs[0], args.inputs[0], outputs[0].bytes, cudaMemcpyDeviceToDevice, context().stream));
  }
};

// Writes `from` into the storage of `to`, in the layout and the type that it has.
class AssignPlan : public ConvertingPlan {
 public:
  AssignPlan(const CudaContext& context, const Descs& inputs)
      : ConvertingPlan(context, inputs, AllLike(inputs, 0), {}), to_(inputs[0]), from_type_(inputs[1].dtype) {
    updates_in_place = true;
  }

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    void *to = args.inputs[0], *from = args.inputs[1];
    if (to == from) return;  // to itself
    LaunchCast(context().stream, from_type_, from, to_.dtype, to, NumElements(to_.shape), &args);
  }

 private:
  TensorDesc to_;
  DType from_type_;
};

}  // namespace

PlanPtr PrepareReshape(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  if (IsPlain(inputs[0])) return std::make_shared<AliasPlan>(context, std::move(outputs));
  return std::make_shared<PlainReshapePlan>(context, inputs[0], std::move(outputs));
}

PlanPtr PrepareCopy(const CudaContext& context, const Op&, const Descs& inputs, Descs) {
  return std::make_shared<CopyPlan>(context, Descs{inputs[0]});
}

PlanPtr PrepareAssign(const CudaContext& context, const Op&, const Descs& inputs, Descs) {
  return std::make_shared<AssignPlan>(context, inputs);
}

}  // namespace residua::cuda
