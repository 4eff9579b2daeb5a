// What the values of a recording depend on: which of the tensors that it reads from outside, and which launches in it
// that may fault. Known once and for all when it is made, where Dependence is found anew for each launch.
#pragma once
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "core/tensor.h"

namespace residua::cuda {

struct Sources {
  std::set<size_t> leaves;  // by their place in SourceMap::leaves()
  std::set<size_t> faults;  // by the order of the launches that may fault
};

class SourceMap {
 public:
  // Of a launch that reads these. Tensors that no launch has written are new leaves.
  Sources Of(const std::vector<Tensor>& inputs);
  void SetFor(const std::vector<Tensor>& outputs, const Sources& sources);

  const std::vector<std::shared_ptr<Status>>& leaves() const { return leaves_; }

 private:
  std::unordered_map<const Status*, Sources> sources_;
  std::vector<std::shared_ptr<Status>> leaves_;
};

}  // namespace residua::cuda
