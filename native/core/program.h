// A list of ops that runs again and again as one piece of work: planned once, with all its memory in one arena.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/eager.h"
#include "core/memory_plan.h"
#include "core/replay.h"

namespace residua {

// Values are numbered: first the leaves (tensors from outside: parameters, images, labels), then the outputs of the
// nodes in order.
struct ProgramNode {
  Op op;
  std::vector<int> inputs;
  int first_output = 0;
  int output_count = 0;
};

struct ProgramSpec {
  std::vector<ProgramNode> nodes;
  int leaf_count = 0;
  std::vector<int> outputs;  // values handed out after each run; the others exist only within one
};

class Program {
 public:
  using Leaves = std::vector<std::shared_ptr<TensorHandle>>;

  // Plans the program for leaves of these types, shapes and layouts. Throws as Eager::Run does.
  Program(std::shared_ptr<Backend> backend, PlanCache* plans, ProgramSpec spec, const Leaves& leaves);

  // Enqueues one run and returns the outputs. Throws Error(kShape, kDType) where a leaf is not as it was planned for;
  // a leaf that only lies otherwise in memory leads to a new plan.
  std::vector<Tensor> Run(const Leaves& leaves);

  size_t arena_bytes() const { return memory_.bytes; }
  size_t lower_bound_bytes() const { return lower_bound_; }
  ReplayStats replay_stats() const { return replay_ ? replay_->stats() : ReplayStats{}; }

 private:
  // Where a value lives. Values that share storage (a reshape and its input) have the same root.
  struct Value {
    TensorDesc desc;
    int root = 0;     // the value whose storage this is
    int buffer = -1;  // of a root within the arena
    bool handed_out = false;
  };

  void Build(const Leaves& leaves);
  void PrepareAll(const Leaves& leaves);
  std::shared_ptr<Plan> PlanOrNull(const Op& op, const std::vector<TensorDesc>& inputs,
                                   const std::vector<TensorDesc>& outputs);
  void PlanNodes(const Leaves& leaves);
  bool PlanInOrder(const Leaves& leaves);
  void OverwriteDyingInputs();
  void PlaceBuffers();
  bool FitsLayouts(const Leaves& leaves) const;
  void CheckLeaves(const Leaves& leaves) const;
  void PrepareReplay();
  Storages AllocateOutputs();
  Storages StorageOfRoots(const Storages& leaves, const Storages& outputs) const;
  Tensor TensorOf(int value, const Storages& storage) const;
  template <class Visit>
  void ForEachRun(const Storages& storage, const Visit& visit) const;
  Replay::Work WorkOn(const Storages& leaves, const Storages& outputs) const;

  std::shared_ptr<Backend> backend_;
  PlanCache* plans_;
  ProgramSpec spec_;
  std::vector<Value> values_;
  std::vector<std::shared_ptr<Plan>> node_plans_;
  MemoryPlan memory_;
  size_t lower_bound_ = 0;
  std::shared_ptr<Storage> arena_;
  Storages slices_;                 // of the arena, by buffer
  std::vector<int> output_roots_;   // values handed out that have storage of their own
  std::unique_ptr<Replay> replay_;  // null where the backend does not record
};

}  // namespace residua
