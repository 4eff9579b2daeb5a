// What the values of a recording depend on.
#include "cuda/recording_sources.h"

namespace residua::cuda {

Sources SourceMap::Of(const std::vector<Tensor>& inputs) {
  Sources all;
  for (const Tensor& input : inputs) {
    const std::shared_ptr<Status>& status = input.storage->status();
    auto known = sources_.find(status.get());
    if (known == sources_.end()) {
      known = sources_.emplace(status.get(), Sources{{leaves_.size()}, {}}).first;
      leaves_.push_back(status);
    }
    all.leaves.insert(known->second.leaves.begin(), known->second.leaves.end());
    all.faults.insert(known->second.faults.begin(), known->second.faults.end());
  }
  return all;
}

void SourceMap::SetFor(const std::vector<Tensor>& outputs, const Sources& sources) {
  for (const Tensor& output : outputs) sources_[output.storage->status().get()] = sources;
}

}  // namespace residua::cuda
