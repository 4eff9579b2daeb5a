// Checks of the SGD update: w0, g0, [m0], w1, g1, [m1], ..., hyper [3 + 2 * count]; all float32, updated in place.
#include "core/shape_check.h"
#include "core/shape_infer.h"

namespace residua {

std::vector<TensorDesc> InferSgd(const Op& op, const std::vector<TensorDesc>& inputs) {
  const Check check(op);
  const auto& p = std::get<SgdParams>(op.params);
  check.AtLeast("count", p.count, 1);
  if (p.nesterov && !p.has_momentum) check.Fail(ErrorCode::kConfig, "nesterov", "to come with momentum", "none");
  const size_t group = p.has_momentum ? 3 : 2;
  const size_t count = static_cast<size_t>(p.count);
  if (inputs.size() != group * count + 1) {
    check.Fail(ErrorCode::kConfig, "inputs", "to be " + std::to_string(group * count + 1),
               std::to_string(inputs.size()));
  }
  static constexpr const char* kNames[] = {"w", "g", "m"};
  for (size_t i = 0; i < count; ++i) {
    const TensorDesc& w = inputs[i * group];
    check.NotEmpty("w", w);
    for (size_t k = 0; k < group; ++k) {
      check.Type(kNames[k], inputs[i * group + k], DType::kFloat32);
      check.HasShape(kNames[k], inputs[i * group + k], w.shape);
    }
  }
  check.Type("hyper", inputs.back(), DType::kFloat32);
  check.HasShape("hyper", inputs.back(), {3 + 2 * static_cast<int64_t>(p.count)});
  return {};
}

}  // namespace residua
