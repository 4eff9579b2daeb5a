// A list of ops that runs again and again as one piece of work.
#include "core/program.h"

#include <algorithm>
#include <utility>

#include "core/op_table.h"
#include "core/shape_infer.h"

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

std::string LayoutKey(const TensorDesc& desc) {
  std::string key;
  if (desc.layout) desc.layout->AppendKey(&key);
  return key;
}

[[noreturn]] void FailLeaf(size_t index, const TensorDesc& planned, const TensorDesc& found, ErrorCode code) {
  const auto text = [](const TensorDesc& desc) { return std::string(Name(desc.dtype)) + " " + ToString(desc.shape); };
  throw Error(
      code,
      "The program expected tensor " + std::to_string(index) + " to be " + text(planned) + ", got " + text(found) + ".",
      {{"expected", text(planned)}, {"found", text(found)}});
}

}  // namespace

Program::Program(std::shared_ptr<Backend> backend, PlanCache* plans, ProgramSpec spec, const Leaves& leaves)
    : backend_(std::move(backend)), plans_(plans), spec_(std::move(spec)) {
  Build(leaves);
}

void Program::Build(const Leaves& leaves) {
  backend_->PlanTogether([&] { PrepareAll(leaves); });
  PlanNodes(leaves);
  PlaceBuffers();
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

// Plans the nodes in order; layouts flow from each to the next. Leaves that an op would rather have in another layout
// are converted now, at most once each.
void Program::PlanNodes(const Leaves& leaves) {
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
        }
      }
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
  for (int output : spec_.outputs) {
    values_[static_cast<size_t>(values_[static_cast<size_t>(output)].root)].handed_out = true;
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

void Program::CheckLeaves(const Leaves& leaves) const {
  if (static_cast<int>(leaves.size()) != spec_.leaf_count) {
    throw Error(ErrorCode::kConfig, "The program expected " + std::to_string(spec_.leaf_count) + " tensors, got " +
                                        std::to_string(leaves.size()) + ".");
  }
  for (size_t i = 0; i < leaves.size(); ++i) {
    const TensorDesc &planned = values_[i].desc, &found = leaves[i]->tensor.desc;
    if (planned.dtype != found.dtype) FailLeaf(i, planned, found, ErrorCode::kDType);
    if (planned.shape != found.shape) FailLeaf(i, planned, found, ErrorCode::kShape);
  }
}

bool Program::FitsLayouts(const Leaves& leaves) const {
  for (size_t i = 0; i < leaves.size(); ++i) {
    const TensorDesc &planned = values_[i].desc, &found = leaves[i]->tensor.desc;
    if (planned.layout == found.layout) continue;
    if (LayoutKey(planned) != LayoutKey(found)) return false;
  }
  return true;
}

std::vector<std::shared_ptr<Storage>> Program::StorageOfRoots(const Leaves& leaves) {
  std::vector<std::shared_ptr<Storage>> storage(values_.size());
  for (size_t i = 0; i < values_.size(); ++i) {
    const Value& value = values_[i];
    if (value.root != static_cast<int>(i)) continue;
    if (i < leaves.size())
      storage[i] = leaves[i]->tensor.storage;
    else if (value.handed_out)
      storage[i] = backend_->Allocate(std::max<size_t>(1, value.desc.bytes));
    else if (value.buffer >= 0)
      storage[i] = slices_[static_cast<size_t>(value.buffer)];
  }
  return storage;
}

std::vector<Tensor> Program::Run(const Leaves& leaves) {
  CheckLeaves(leaves);
  if (!FitsLayouts(leaves)) Build(leaves);
  const std::vector<std::shared_ptr<Storage>> storage = StorageOfRoots(leaves);
  const auto tensor_of = [&](int index) {
    const Value& value = values_[static_cast<size_t>(index)];
    return Tensor{value.desc, storage[static_cast<size_t>(value.root)]};
  };
  std::vector<Tensor> inputs, outputs;
  for (size_t step = 0; step < spec_.nodes.size(); ++step) {
    const ProgramNode& node = spec_.nodes[step];
    if (!node_plans_[step]) continue;  // all its outputs are empty
    inputs.clear();
    outputs.clear();
    for (int input : node.inputs) inputs.push_back(tensor_of(input));
    for (int i = 0; i < node.output_count; ++i) outputs.push_back(tensor_of(node.first_output + i));
    backend_->Enqueue(node_plans_[step], inputs, outputs);
  }
  std::vector<Tensor> handed_out;
  for (int output : spec_.outputs) handed_out.push_back(tensor_of(output));
  return handed_out;
}

}  // namespace residua
