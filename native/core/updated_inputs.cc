// Which inputs an op changes in place: those marked '!' in op.h.
#include "core/updated_inputs.h"

namespace residua {

namespace {

// Inputs are weight, gradient and `states` more of each parameter, last the hyper-parameters. All but the gradients.
std::vector<size_t> UpdatedByOptimiser(size_t states, size_t input_count) {
  const size_t group = 2 + states;
  std::vector<size_t> updated;
  for (size_t first = 0; first + group < input_count; first += group) {
    updated.push_back(first);
    for (size_t state = 0; state < states; ++state) updated.push_back(first + 2 + state);
  }
  return updated;
}

}  // namespace

std::vector<size_t> UpdatedInputs(const Op& op, size_t input_count) {
  switch (op.kind) {
    case OpKind::kAssign:
      return {0};
    case OpKind::kBatchNorm:
      if (!std::get<BatchNormParams>(op.params).training) return {};
      return {3, 4};
    case OpKind::kBatchNormAddRelu:
      if (!std::get<BatchNormParams>(op.params).training) return {};
      return {4, 5};
    case OpKind::kConv2dFused:
      if (!std::get<Conv2dParams>(op.params).has_residual) return {};
      return {3};
    case OpKind::kSgd:
      return UpdatedByOptimiser(std::get<SgdParams>(op.params).has_momentum ? 1 : 0, input_count);
    case OpKind::kAdamW:
      return UpdatedByOptimiser(2, input_count);
    default:
      return {};
  }
}

}  // namespace residua
