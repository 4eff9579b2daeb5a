// Runs a planned list of ops: replayed where the backend has recorded it, else one by one.
#include <algorithm>
#include <limits>

#include "core/program.h"

namespace residua {

namespace {

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

void Program::CheckLeaves(const Leaves& leaves) const {
  if (static_cast<int>(leaves.size()) != spec_.leaf_count) {
    throw Error(ErrorCode::kConfig, "The program expected " + std::to_string(spec_.leaf_count) + " tensors, got " +
                                        std::to_string(leaves.size()) + ".");
  }
  if (stage_ == Stage::kNew) return;
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

Storages Program::AllocateOutputs() {
  Storages outputs;
  for (int root : output_roots_) {
    outputs.push_back(backend_->Allocate(std::max<size_t>(1, values_[static_cast<size_t>(root)].desc.bytes)));
  }
  return outputs;
}

// By value; of values that are no root: null.
Storages Program::StorageOfRoots(const Storages& leaves, const Storages& outputs) const {
  Storages storage = leaves;
  storage.resize(values_.size());
  for (size_t i = leaves.size(); i < values_.size(); ++i) {
    if (values_[i].buffer >= 0) storage[i] = slices_[static_cast<size_t>(values_[i].buffer)];
  }
  for (size_t i = 0; i < outputs.size(); ++i) storage[static_cast<size_t>(output_roots_[i])] = outputs[i];
  return storage;
}

Tensor Program::TensorOf(int index, const Storages& storage) const {
  const Value& value = values_[static_cast<size_t>(index)];
  return {value.desc, storage[static_cast<size_t>(value.root)]};
}

// Calls visit(plan, inputs, outputs) for every node that computes something, in order.
template <class Visit>
void Program::ForEachRun(const Storages& storage, const Visit& visit) const {
  std::vector<Tensor> inputs, outputs;
  for (size_t step = 0; step < spec_.nodes.size(); ++step) {
    const ProgramNode& node = spec_.nodes[step];
    if (!node_plans_[step]) continue;  // all its outputs are empty
    inputs.clear();
    outputs.clear();
    for (int input : node.inputs) inputs.push_back(TensorOf(input, storage));
    for (int i = 0; i < node.output_count; ++i) outputs.push_back(TensorOf(node.first_output + i, storage));
    visit(node_plans_[step], inputs, outputs);
  }
}

Replay::Work Program::WorkOn(const Storages& leaves, const Storages& outputs) const {
  const Storages storage = StorageOfRoots(leaves, outputs);
  Replay::Work work;
  ForEachRun(storage, [&](const std::shared_ptr<Plan>& plan, const std::vector<Tensor>& run_inputs,
                          const std::vector<Tensor>& run_outputs) {
    work.runs.push_back({plan, run_inputs, run_outputs});
  });
  for (int output : spec_.outputs) work.kept.push_back(TensorOf(output, storage));
  return work;
}

std::vector<Tensor> Program::Run(const Leaves& leaves) {
  CheckLeaves(leaves);
  if (stage_ == Stage::kPlanned && !FitsLayouts(leaves)) stage_ = Stage::kNew;
  if (stage_ != Stage::kPlanned) PlanFor(leaves, std::numeric_limits<double>::infinity());
  Storages own, outputs;
  for (const auto& leaf : leaves) own.push_back(leaf->tensor.storage);
  const auto work_on = [this](const Storages& of_leaves, const Storages& of_outputs) {
    return WorkOn(of_leaves, of_outputs);
  };
  const bool is_replayed = replay_ != nullptr && replay_->Run(own, work_on, &outputs);
  if (!is_replayed) outputs = AllocateOutputs();
  const Storages storage = StorageOfRoots(own, outputs);
  if (!is_replayed) {
    ForEachRun(storage,
               [&](const std::shared_ptr<Plan>& plan, const std::vector<Tensor>& run_inputs,
                   const std::vector<Tensor>& run_outputs) { backend_->Enqueue(plan, run_inputs, run_outputs); });
    if (replay_ != nullptr) replay_->NoteOutputs(outputs);
  }
  std::vector<Tensor> handed_out;
  for (int output : spec_.outputs) handed_out.push_back(TensorOf(output, storage));
  return handed_out;
}

}  // namespace residua
