// What the CPU backend hands out as a plan: the op's own plan, and what is needed to name it and to make it again.
#pragma once
#include <memory>
#include <string>

#include "cpu/cpu_plan.h"

namespace residua::cpu {

class PreparedPlan : public CpuPlan {
 public:
  // `inferred` are the outputs as they came to Prepare.
  PreparedPlan(Op op, Descs inputs, Descs inferred, PlanPtr plan, int threads)
      : op_(std::move(op)),
        inputs_(std::move(inputs)),
        inferred_(std::move(inferred)),
        threads_(threads),
        considered_threads_(threads) {
    Adopt(std::move(plan));
    preferred_inputs = own_plan_->preferred_inputs;
    alias = own_plan_->alias;
    overwritable = own_plan_->overwritable;
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override { own_plan_->Run(inputs, out, scratch); }

  const Op& op() const { return op_; }
  const Descs& inputs() const { return inputs_; }
  const Descs& inferred() const { return inferred_; }
  const PlanPtr& own_plan() const { return own_plan_; }
  int threads() const { return threads_; }  // that the primitives were made for

  bool ConsideredFor(int threads) const { return considered_threads_ == threads; }

  // Takes over a plan made for another number of threads, if it gives the outputs the same layouts. Enqueued runs keep
  // theirs.
  void ReplaceFor(int threads, PlanPtr plan) {
    considered_threads_ = threads;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!SameLayout(outputs[i], plan->outputs[i]) || outputs[i].bytes != plan->outputs[i].bytes) return;
    }
    threads_ = threads;
    Adopt(std::move(plan));
  }

 private:
  void Adopt(PlanPtr plan) {
    own_plan_ = std::move(plan);
    outputs = own_plan_->outputs;
    scratch_bytes = own_plan_->scratch_bytes;
  }

  Op op_;
  Descs inputs_, inferred_;
  PlanPtr own_plan_;
  int threads_, considered_threads_;
};

}  // namespace residua::cpu
