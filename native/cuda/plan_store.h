// Execution plans on disk, one file a plan. Several processes may use a folder at once. What cannot be read or written
// is as good as absent: a plan can always be made again.
#pragma once
#include <string>
#include <utility>

namespace residua::cuda {

class PlanStore {
 public:
  struct Entry {
    std::string engine;
    std::string json;  // cuDNN's form of the plan
  };

  // `folder` is made with the first plan; "" for a store that keeps nothing.
  explicit PlanStore(std::string folder) : folder_(std::move(folder)) {}

  bool keeps() const { return !folder_.empty(); }
  // False where there is no such plan, or its file is not whole.
  bool Load(const std::string& key, Entry* entry) const;
  // Replaces what is there. Says once on stderr where the folder cannot be written.
  void Save(const std::string& key, const Entry& entry);

 private:
  std::string PathOf(const std::string& key) const;

  std::string folder_;
  bool warned_ = false;
};

}  // namespace residua::cuda
