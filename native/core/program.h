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

  Program(std::shared_ptr<Backend> backend, PlanCache* plans, ProgramSpec spec);

  // How far planning is. kTiming: it waits for algorithms that are being timed.
  enum class Progress { kPlanned, kMore, kTiming };

  // Plans the program for leaves of these types, shapes and layouts, for about so long, at least one op; waits for
  // nothing unless `seconds` is infinite. Until it is planned every call takes the same leaves. Throws as Eager::Run.
  Progress PlanFor(const Leaves& leaves, double seconds);

  // Enqueues one run and returns the outputs; plans first what is not planned yet. Throws Error(kShape, kDType) where a
  // leaf is not as it was planned for; a leaf that only lies otherwise in memory leads to a new plan.
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

  // How far planning is.
  enum class Stage { kNew, kPlanningNodes, kPlanned };

  void PrepareAll(const Leaves& leaves);
  std::shared_ptr<Plan> PlanOrNull(const Op& op, const std::vector<TensorDesc>& inputs,
                                   const std::vector<TensorDesc>& outputs);
  void BeginNodes(const Leaves& leaves);
  void PlanNextNode(const Leaves& leaves);
  bool ConvertLeaves(const ProgramNode& node, const Plan& plan, const Leaves& leaves);
  void FinishPlanning();
  void NoteOutputs();
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
  Stage stage_ = Stage::kNew;
  std::vector<Value> values_;
  std::vector<std::shared_ptr<Plan>> node_plans_;  // of the nodes that are planned
  std::vector<bool> is_read_;                      // leaves, by the nodes that are planned
  bool fits_ = true;                               // no leaf was converted after a node was planned for it
  MemoryPlan memory_;
  size_t lower_bound_ = 0;
  std::shared_ptr<Storage> arena_;
  Storages slices_;                 // of the arena, by buffer
  std::vector<int> output_roots_;   // values handed out that have storage of their own
  std::unique_ptr<Replay> replay_;  // null where the backend does not record
};

}  // namespace residua
