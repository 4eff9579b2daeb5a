// Sum and Mean over any axes of a tensor of any layout.
#include "cuda/cuda_plan.h"
#include "cuda/sum.h"

namespace residua::cuda {
namespace {

class ReducePlan : public CudaPlan {
 public:
  ReducePlan(const CudaContext& context, const TensorDesc& x, Descs plan_outputs, const ReduceParams& params, bool mean)
      : CudaPlan(context), sum_(x, params.axis_mask, plan_outputs[0].dtype, mean) {
    outputs = std::move(plan_outputs);
    TakeScratch(sum_.scratch_bytes());  // all of it, from the beginning
  }

  void Launch(const LaunchArgs& args) override {
    sum_.Launch(context().stream, args.inputs[0], args.outputs[0], args.scratch);
  }

 private:
  AxisSum sum_;
};

PlanPtr PrepareReduce(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs, bool mean) {
  return std::make_shared<ReducePlan>(context, inputs[0], std::move(outputs), std::get<ReduceParams>(op.params), mean);
}

}  // namespace

PlanPtr PrepareSum(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareReduce(context, op, inputs, std::move(outputs), false);
}

PlanPtr PrepareMean(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareReduce(context, op, inputs, std::move(outputs), true);
}

}  // namespace residua::cuda
