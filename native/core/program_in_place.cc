// Which results of a program are written where an input lay that nobody needs any more: sums of gradients above all.
#include <algorithm>

#include "core/program.h"

namespace residua {

namespace {

std::string FormKey(const TensorDesc& desc) {
  std::string key = std::to_string(static_cast<int>(desc.dtype)) + "/" + std::to_string(desc.bytes) + "/";
  if (desc.layout) desc.layout->AppendKey(&key);
  return key;
}

}  // namespace

void Program::OverwriteDyingInputs() {
  const auto root_of = [&](int index) { return values_[static_cast<size_t>(index)].root; };
  std::vector<size_t> last_use(values_.size(), 0);  // of a root, by step
  std::vector<bool> stays(values_.size(), false);   // leaves, and what is handed out
  for (int leaf = 0; leaf < spec_.leaf_count; ++leaf) stays[static_cast<size_t>(leaf)] = true;
  for (int output : spec_.outputs) stays[static_cast<size_t>(root_of(output))] = true;
  for (size_t step = 0; step < spec_.nodes.size(); ++step) {
    for (int input : spec_.nodes[step].inputs) last_use[static_cast<size_t>(root_of(input))] = step;
  }
  for (size_t step = 0; step < spec_.nodes.size(); ++step) {
    const ProgramNode& node = spec_.nodes[step];
    const int output = node.first_output;
    if (!node_plans_[step] || root_of(output) != output || stays[static_cast<size_t>(output)]) continue;
    for (int candidate : node_plans_[step]->overwritable) {
      const int input = node.inputs[static_cast<size_t>(candidate)];
      const auto root = static_cast<size_t>(root_of(input));
      if (stays[root] || last_use[root] != step) continue;
      if (FormKey(values_[root].desc) != FormKey(values_[static_cast<size_t>(output)].desc)) continue;
      if (FormKey(values_[static_cast<size_t>(input)].desc) != FormKey(values_[root].desc)) continue;
      for (Value& value : values_) {
        if (value.root == output) value.root = static_cast<int>(root);
      }
      last_use[root] = std::max(step, last_use[static_cast<size_t>(output)]);
      break;
    }
  }
}

}  // namespace residua
