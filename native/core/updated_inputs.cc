// Which inputs an op changes in place: those marked '!' in op.h.
#include "core/updated_inputs.h"

namespace residua {

namespace {

// Inputs are weight, gradient[, momentum] of each parameter, last the hyper-parameters.
std::vector<size_t> UpdatedBySgd(const SgdParams& params, size_t input_count) {
  const size_t group = params.has_momentum ? 3 : 2;
  std::vector<size_t> updated;
  for (size_t first = 0; first + group < input_count; first += group) {
    updated.push_back(first);
    if (params.has_momentum) updated.push_back(first + 2);
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
      return UpdatedBySgd(std::get<SgdParams>(op.params), input_count);
    default:
      return {};
  }
}

}  // namespace residua
