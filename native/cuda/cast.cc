// Cast between any two of the five types. The layout stays.
#include "cuda/cast_kernel.h"

namespace residua::cuda {
namespace {

class CastPlan : public CudaPlan {
 public:
  CastPlan(const CudaContext& context, DType from_type, Descs plan_outputs) : CudaPlan(context), from_type_(from_type) {
    outputs = std::move(plan_outputs);
  }

  void Launch(const LaunchArgs& args) override {
    LaunchCast(context().stream, from_type_, args.inputs[0], outputs[0].dtype, args.outputs[0],
               NumElements(outputs[0].shape), nullptr);
  }

 private:
  DType from_type_;
};

}  // namespace

PlanPtr PrepareCast(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  outputs[0].layout = inputs[0].layout;
  return std::make_shared<CastPlan>(context, inputs[0].dtype, std::move(outputs));
}

}  // namespace residua::cuda
