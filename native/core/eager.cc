// Runs ops one by one: shapes, plan (cached), storage of the outputs, enqueue.
#include "core/eager.h"

#include <algorithm>
#include <utility>

#include "core/op_table.h"
#include "core/shape_infer.h"

namespace residua {

namespace {

std::vector<TensorDesc> DescsOf(const std::vector<std::shared_ptr<TensorHandle>>& inputs) {
  std::vector<TensorDesc> descs;
  descs.reserve(inputs.size());
  for (const auto& input : inputs) descs.push_back(input->tensor.desc);
  return descs;
}

// True where an input was moved to a layout that the plan prefers.
bool ConvertInputs(Backend* backend, const Plan& plan, const std::vector<std::shared_ptr<TensorHandle>>& inputs) {
  bool converted = false;
  for (size_t i = 0; i < plan.preferred_inputs.size(); ++i) {
    if (ConvertToPreferred(backend, plan.preferred_inputs[i], inputs[i].get())) converted = true;
  }
  return converted;
}

}  // namespace

bool AllEmpty(const std::vector<TensorDesc>& outputs) {
  const auto is_empty = [](const TensorDesc& desc) { return NumElements(desc.shape) == 0; };
  return !outputs.empty() && std::all_of(outputs.begin(), outputs.end(), is_empty);
}

bool ConvertToPreferred(Backend* backend, const TensorDesc& preferred, TensorHandle* input) {
  if (preferred.bytes == 0 || input->converted || !input->tensor.desc.plain()) return false;
  input->tensor = backend->Convert(input->tensor, preferred);
  input->converted = true;
  return true;
}

std::shared_ptr<Plan> PlanOf(Backend* backend, PlanCache* plans, const Op& op, const std::vector<TensorDesc>& inputs) {
  const std::string key = PlanKey(op, inputs);
  if (std::shared_ptr<Plan> plan = plans->Find(key)) return plan;
  std::vector<TensorDesc> outputs = InferOutputs(op, inputs);
  if (AllEmpty(outputs)) return nullptr;
  std::shared_ptr<Plan> plan = backend->Prepare(op, inputs, std::move(outputs));
  plans->Insert(key, plan);
  return plan;
}

Eager::Eager(std::shared_ptr<Backend> backend, size_t plan_capacity)
    : backend_(std::move(backend)), plans_(backend_->name(), plan_capacity) {}

std::vector<Tensor> Eager::Run(const Op& op, const std::vector<std::shared_ptr<TensorHandle>>& inputs) {
  ThrowPendingError();
  std::shared_ptr<Plan> plan;
  do {
    const std::vector<TensorDesc> descs = DescsOf(inputs);
    plan = PlanOf(backend_.get(), &plans_, op, descs);
    if (plan == nullptr) return Allocate(InferOutputs(op, descs), {}, {});
  } while (ConvertInputs(backend_.get(), *plan, inputs));

  std::vector<Tensor> tensors;
  tensors.reserve(inputs.size());
  for (const auto& input : inputs) tensors.push_back(input->tensor);
  std::vector<Tensor> outputs = Allocate(plan->outputs, plan->alias, tensors);
  backend_->Enqueue(std::move(plan), tensors, outputs);
  return outputs;
}

std::vector<Tensor> Eager::Allocate(const std::vector<TensorDesc>& descs, const std::vector<int>& alias,
                                    const std::vector<Tensor>& inputs) {
  std::vector<Tensor> tensors;
  tensors.reserve(descs.size());
  for (size_t i = 0; i < descs.size(); ++i) {
    const int shared = i < alias.size() ? alias[i] : -1;
    const size_t bytes = std::max<size_t>(1, descs[i].bytes);  // an empty tensor has storage too
    tensors.push_back(
        {descs[i], shared >= 0 ? inputs[static_cast<size_t>(shared)].storage : backend_->Allocate(bytes)});
  }
  return tensors;
}

Tensor Eager::FromHost(const void* values, DType dtype, Shape shape) {
  Tensor tensor = Allocate({PlainDesc(dtype, std::move(shape))}, {}, {})[0];
  if (tensor.desc.bytes != 0) backend_->Upload(values, tensor.desc.bytes, tensor);
  return tensor;
}

void Eager::ThrowPendingError() {
  const std::shared_ptr<const Error> error = backend_->TakePendingError();
  if (error == nullptr) return;
  Error::Details details = error->details();
  details["deferred"] = "true";  // it belongs to an earlier op, not to the caller's
  throw Error(error->code(), error->what(), std::move(details));
}

}  // namespace residua
