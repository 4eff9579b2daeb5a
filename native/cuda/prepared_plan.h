// What the CUDA backend hands out as a plan: the op's own plan, and what is needed to name it when it fails.
#pragma once
#include <memory>
#include <utility>

#include "cuda/cuda_plan.h"

namespace residua::cuda {

class PreparedPlan : public Plan {
 public:
  PreparedPlan(Op op, Descs inputs, PlanPtr own)
      : op_(std::move(op)), inputs_(std::move(inputs)), own_(std::move(own)) {
    outputs = own_->outputs;
    preferred_inputs = own_->preferred_inputs;
    alias = own_->alias;
    overwritable = own_->overwritable;
    scratch_bytes = own_->scratch_bytes;
  }

  const Op& op() const { return op_; }
  const Descs& inputs() const { return inputs_; }
  CudaPlan& own() const { return *own_; }

 private:
  Op op_;
  Descs inputs_;
  PlanPtr own_;
};

}  // namespace residua::cuda
