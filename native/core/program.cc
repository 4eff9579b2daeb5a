// Plans a list of ops that runs again and again as one piece of work. How it runs: program_run.cc.
#include "core/program.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "core/op_table.h"
#include "core/shape_infer.h"
#include "core/updated_inputs.h"

namespace residua {

namespace {

// A part of the arena, which it keeps alive.
class ArenaSlice : public Storage {
 public:
  ArenaSlice(std::shared_ptr<Storage> arena, size_t offset, size_t bytes)
      : arena_(std::move(arena)), offset_(offset), bytes_(bytes) {}
  void* data() const override { return static_cast<char*>(arena_->data()) + offset_; }
  size_t bytes() const override { return bytes_; }

 private:
  std::shared_ptr<Storage> arena_;
  size_t offset_, bytes_;
};

// Whether the backend waits for algorithms that are being timed, for as long as this exists.
class WaitsForTiming {
 public:
  WaitsForTiming(Backend* backend, bool waits) : backend_(backend) { backend_->SetWaitsForTiming(waits); }
  ~WaitsForTiming() { backend_->SetWaitsForTiming(true); }
  WaitsForTiming(const WaitsForTiming&) = delete;
  WaitsForTiming& operator=(const WaitsForTiming&) = delete;

 private:
  Backend* backend_;
};

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

Program::Program(std::shared_ptr<Backend> backend, PlanCache* plans, ProgramSpec spec)
    : backend_(std::move(backend)), plans_(plans), spec_(std::move(spec)) {}

Program::Progress Program::PlanFor(const Leaves& leaves, double seconds) {
  const double end = Now() + seconds;
  CheckLeaves(leaves);
  const WaitsForTiming waits(backend_.get(), std::isinf(seconds));
  try {
    if (stage_ == Stage::kNew) {
      backend_->PlanTogether([&] { PrepareAll(leaves); });
      BeginNodes(leaves);
    }
    while (stage_ != Stage::kPlanned) {
      if (node_plans_.size() < spec_.nodes.size()) {
        PlanNextNode(leaves);
      } else if (fits_) {
        FinishPlanning();
        break;
      } else {
        BeginNodes(leaves);  // again, for leaves as they lie now
      }
      if (Now() >= end) return Progress::kMore;
    }
  } catch (const StillTiming&) {
    return Progress::kTiming;
  }
  return Progress::kPlanned;
}

std::shared_ptr<Plan> Program::PlanOrNull(const Op& op, const std::vector<TensorDesc>& inputs,
                                          const std::vector<TensorDesc>& outputs) {
  try {
    return backend_->Prepare(op, inputs, outputs);
  } catch (const Error&) {
    return nullptr;  // will be told when the op is prepared in earnest
  }
}

// Prepares every op whose plan does not exist yet, for a backend that wants to see them all before. The plans are
// dropped.
void Program::PrepareAll(const Leaves& leaves) {
  std::vector<TensorDesc> values;
  for (const auto& leaf : leaves) values.push_back(leaf->tensor.desc);
  for (const ProgramNode& node : spec_.nodes) {
    std::vector<TensorDesc> inputs;
    for (int input : node.inputs) inputs.push_back(values[static_cast<size_t>(input)]);
    std::vector<TensorDesc> outputs = InferOutputs(node.op, inputs);
    std::shared_ptr<Plan> plan = plans_->Find(PlanKey(node.op, inputs));
    if (plan == nullptr && !AllEmpty(outputs)) plan = PlanOrNull(node.op, inputs, outputs);
    for (const TensorDesc& output : plan ? plan->outputs : outputs) values.push_back(output);
  }
}

void Program::BeginNodes(const Leaves& leaves) {
  stage_ = Stage::kPlanningNodes;
  fits_ = true;
  is_read_.assign(leaves.size(), false);
  node_plans_.clear();
  values_.clear();
  for (size_t i = 0; i < leaves.size(); ++i) {
    Value value;
    value.desc = leaves[i]->tensor.desc;
    value.root = static_cast<int>(i);
    values_.push_back(std::move(value));
  }
}

// Nodes are planned in order; layouts flow from each to the next. Leaves that an op would rather have in another layout
// are converted now, at most once each.
void Program::PlanNextNode(const Leaves& leaves) {
  const ProgramNode& node = spec_.nodes[node_plans_.size()];
  std::shared_ptr<Plan> plan;
  std::vector<TensorDesc> descs;
  do {
    descs.clear();
    for (int input : node.inputs) descs.push_back(values_[static_cast<size_t>(input)].desc);
    plan = PlanOf(backend_.get(), plans_, node.op, descs);
  } while (plan != nullptr && ConvertLeaves(node, *plan, leaves));
  for (int input : node.inputs) {
    if (input < spec_.leaf_count) is_read_[static_cast<size_t>(input)] = true;
  }
  const std::vector<TensorDesc> outputs = plan ? plan->outputs : InferOutputs(node.op, descs);
  for (size_t i = 0; i < outputs.size(); ++i) {
    Value value;
    value.desc = outputs[i];
    const int shared = plan && i < plan->alias.size() ? plan->alias[i] : -1;
    value.root = shared >= 0 ? values_[static_cast<size_t>(node.inputs[static_cast<size_t>(shared)])].root
                             : static_cast<int>(values_.size());
    values_.push_back(std::move(value));
  }
  node_plans_.push_back(std::move(plan));
}

// True where a leaf was converted, for which the node must be planned anew.
bool Program::ConvertLeaves(const ProgramNode& node, const Plan& plan, const Leaves& leaves) {
  bool converted = false;
  for (size_t i = 0; i < plan.preferred_inputs.size(); ++i) {
    const auto leaf = static_cast<size_t>(node.inputs[i]);
    if (node.inputs[i] >= spec_.leaf_count) continue;
    if (!ConvertToPreferred(backend_.get(), plan.preferred_inputs[i], leaves[leaf].get())) continue;
    values_[leaf].desc = leaves[leaf]->tensor.desc;
    converted = true;
    if (is_read_[leaf]) fits_ = false;
  }
  return converted;
}

void Program::FinishPlanning() {
  OverwriteDyingInputs();
  NoteOutputs();
  PlaceBuffers();
  PrepareReplay();
  stage_ = Stage::kPlanned;
}

void Program::NoteOutputs() {
  output_roots_.clear();
  for (int output : spec_.outputs) {
    const int root = values_[static_cast<size_t>(output)].root;
    Value& value = values_[static_cast<size_t>(root)];
    if (root >= spec_.leaf_count && !value.handed_out) output_roots_.push_back(root);
    value.handed_out = true;
  }
}

// Everything that is neither a leaf nor handed out goes into the arena, for as long as some node needs it.
void Program::PlaceBuffers() {
  std::vector<BufferLife> lives;
  const auto touch = [&](int index, int step) {
    Value& value = values_[static_cast<size_t>(values_[static_cast<size_t>(index)].root)];
    if (&value - values_.data() < spec_.leaf_count || value.handed_out) return;
    if (value.buffer < 0) {
      value.buffer = static_cast<int>(lives.size());
      lives.push_back({std::max<size_t>(1, value.desc.bytes), step, step});
    }
    lives[static_cast<size_t>(value.buffer)].last = step;
  };
  for (size_t step = 0; step < spec_.nodes.size(); ++step) {
    const ProgramNode& node = spec_.nodes[step];
    for (int input : node.inputs) touch(input, static_cast<int>(step));
    for (int i = 0; i < node.output_count; ++i) touch(node.first_output + i, static_cast<int>(step));
  }
  memory_ = PlanMemory(lives);
  lower_bound_ = LowerBound(lives);
  slices_.clear();
  arena_ = memory_.bytes > 0 ? backend_->Allocate(memory_.bytes) : nullptr;
  for (size_t i = 0; i < lives.size(); ++i) {
    slices_.push_back(std::make_shared<ArenaSlice>(arena_, memory_.offsets[i], lives[i].bytes));
  }
}

void Program::PrepareReplay() {
  replay_ = nullptr;  // what it recorded works on other memory
  if (!backend_->CanRecord()) return;
  std::vector<Replay::Leaf> leaves;
  for (int i = 0; i < spec_.leaf_count; ++i) {
    const Value& value = values_[static_cast<size_t>(i)];
    leaves.push_back({value.desc, value.handed_out});
  }
  for (const ProgramNode& node : spec_.nodes) {
    for (size_t position : UpdatedInputs(node.op, node.inputs.size())) {
      const int root = values_[static_cast<size_t>(node.inputs[position])].root;
      if (root < spec_.leaf_count) leaves[static_cast<size_t>(root)].is_written = true;
    }
  }
  std::vector<TensorDesc> outputs;
  for (int root : output_roots_) outputs.push_back(values_[static_cast<size_t>(root)].desc);
  replay_ = std::make_unique<Replay>(backend_.get(), plans_, leaves, outputs);
}

}  // namespace residua
