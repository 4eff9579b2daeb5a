// Checks of the optimisers' updates: w0, g0, the states of it, w1, ..., hyper; all float32, updated in place.
#include "core/shape_check.h"
#include "core/shape_infer.h"

namespace residua {

namespace {

// `names`: of what there is of each parameter.
void CheckUpdate(const Check& check, const std::vector<TensorDesc>& inputs, int32_t parameters,
                 const std::vector<const char*>& names, int64_t hyper) {
  check.AtLeast("count", parameters, 1);
  const size_t group = names.size(), count = static_cast<size_t>(parameters);
  if (inputs.size() != group * count + 1) {
    check.Fail(ErrorCode::kConfig, "inputs", "to be " + std::to_string(group * count + 1),
               std::to_string(inputs.size()));
  }
  for (size_t i = 0; i < count; ++i) {
    const TensorDesc& w = inputs[i * group];
    check.NotEmpty(names[0], w);
    for (size_t k = 0; k < group; ++k) {
      check.Type(names[k], inputs[i * group + k], DType::kFloat32);
      check.HasShape(names[k], inputs[i * group + k], w.shape);
    }
  }
  check.Type("hyper", inputs.back(), DType::kFloat32);
  check.HasShape("hyper", inputs.back(), {hyper});
}

}  // namespace

std::vector<TensorDesc> InferSgd(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<SgdParams>(op.params);
  if (p.nesterov && !p.has_momentum) check.Fail(ErrorCode::kConfig, "nesterov", "to come with momentum", "none");
  std::vector<const char*> names = {"w", "g"};
  if (p.has_momentum) names.push_back("m");
  CheckUpdate(check, inputs, p.count, names, 3 + 2 * static_cast<int64_t>(p.count));
  return {};
}

std::vector<TensorDesc> InferAdamW(const Op& op, const std::vector<TensorDesc>& inputs) {
  const auto& p = std::get<AdamWParams>(op.params);
  CheckUpdate(Check(op), inputs, p.count, {"w", "g", "m", "v"}, 5 + 3 * static_cast<int64_t>(p.count));
  return {};
}

}  // namespace residua
