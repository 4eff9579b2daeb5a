// Plans a list of ops that runs again and again as one piece of work. How it runs: program_run.cc.
#include "core/program.h"

#include <algorithm>
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

}  // namespace

Program::Program(std::shared_ptr<Backend> backend, PlanCache* plans, ProgramSpec spec, const Leaves& leaves)
    : backend_(std::move(backend)), plans_(plans), spec_(std::move(spec)) {
  Build(leaves);
}

void Program::Build(const Leaves& leaves) {
  backend_->PlanTogether([&] { PrepareAll(leaves); });
  PlanNodes(leaves);
  PlaceBuffers();
  PrepareReplay();
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

void Program::PlanNodes(const Leaves& leaves) {
  while (!PlanInOrder(leaves)) {
  }
  OverwriteDyingInputs();
  output_roots_.clear();
  for (int output : spec_.outputs) {
    const int root = values_[static_cast<size_t>(output)].root;
    Value& value = values_[static_cast<size_t>(root)];
    if (root >= spec_.leaf_count && !value.handed_out) output_roots_.push_back(root);
    value.handed_out = true;
  }
}

// Plans the nodes in order; layouts flow from each to the next. Leaves that an op would rather have in another layout
// are converted now, at most once each. Returns false where one was planned for the layout before.
bool Program::PlanInOrder(const Leaves& leaves) {
  bool fits = true;
  std::vector<bool> is_read(leaves.size(), false);
  values_.clear();
  node_plans_.clear();
  for (size_t i = 0; i < leaves.size(); ++i) {
    Value value;
    value.desc = leaves[i]->tensor.desc;
    value.root = static_cast<int>(i);
    values_.push_back(std::move(value));
  }
  for (const ProgramNode& node : spec_.nodes) {
    std::shared_ptr<Plan> plan;
    std::vector<TensorDesc> descs;
    for (bool converted = true; converted;) {
      descs.clear();
      for (int input : node.inputs) descs.push_back(values_[static_cast<size_t>(input)].desc);
      plan = PlanOf(backend_.get(), plans_, node.op, descs);
      converted = false;
      for (size_t i = 0; plan && i < plan->preferred_inputs.size(); ++i) {
        const int leaf = node.inputs[i];
        if (leaf >= spec_.leaf_count) continue;
        if (ConvertToPreferred(backend_.get(), plan->preferred_inputs[i], leaves[static_cast<size_t>(leaf)].get())) {
          values_[static_cast<size_t>(leaf)].desc = leaves[static_cast<size_t>(leaf)]->tensor.desc;
          converted = true;
          if (is_read[static_cast<size_t>(leaf)]) fits = false;
        }
      }
    }
    for (int input : node.inputs) {
      if (input < spec_.leaf_count) is_read[static_cast<size_t>(input)] = true;
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
  return fits;
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
