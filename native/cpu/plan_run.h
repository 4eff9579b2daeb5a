// One run of a plan, made when it is enqueued: all that the execution thread needs.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "cpu/failure.h"
#include "cpu/prepared_plan.h"
#include "cpu/profile.h"

namespace residua::cpu {

class PlanRun {
 public:
  // Keeps addresses and no storage: memory is stream-ordered, and storage must not be released on the execution thread.
  PlanRun(std::shared_ptr<PreparedPlan> prepared, const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs,
          void* scratch, Profile* profile)
      : prepared_(std::move(prepared)),
        plan_(prepared_->own_plan()),
        threads_(prepared_->threads()),
        inputs_(inputs),
        outputs_(outputs),
        scratch_(scratch),
        profile_(profile) {}

  // On the execution thread. Does nothing where an input's producer failed; a failure goes to the outputs, and to
  // `pending` once.
  void Execute(PendingError* pending) {
    std::shared_ptr<const Error> error = inputs_.FirstError();
    if (!error) {
      try {
        omp_set_num_threads(threads_);
        RunPlan();
      } catch (...) {
        error = CurrentFailure(prepared_->op(), prepared_->inputs());
        pending->Report(error);
      }
    }
    for (const auto& status : outputs_.status) status->error = error;
  }

 private:
  struct Arguments {
    std::vector<void*> pointers;
    std::vector<std::shared_ptr<Status>> status;

    explicit Arguments(const std::vector<Tensor>& tensors) {
      pointers.reserve(tensors.size());
      status.reserve(tensors.size());
      for (const Tensor& tensor : tensors) {
        pointers.push_back(tensor.storage->data());
        status.push_back(tensor.storage->status());
      }
    }
    std::shared_ptr<const Error> FirstError() const {
      for (const auto& each : status) {
        if (each->error) return each->error;
      }
      return nullptr;
    }
  };

  void RunPlan() {
    std::optional<OpClock> clock;
    if (profile_) clock.emplace();
    plan_->Run(inputs_.pointers.data(), outputs_.pointers.data(), scratch_);
    if (profile_) profile_->Add(clock->Read(prepared_, *plan_));
  }

  std::shared_ptr<PreparedPlan> prepared_;
  PlanPtr plan_;  // that of the moment of enqueueing
  int threads_;
  Arguments inputs_, outputs_;
  void* scratch_;
  Profile* profile_;  // null: not timed
};

}  // namespace residua::cpu
