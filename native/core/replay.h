// Replays a program's runs on a backend that records them, and keeps the memory that a recording needs. A recording
// works on the storages that it was made with. So leaves that are the same at each run (parameters) are used as they
// are, and those that are not (images) are copied into a storage of the recording's own before each run. Outputs are
// lent: the caller gets the recording's own memory, unless it was seen to hold on to it when the next run began; such
// an output is copied for it from then on. Which leaves and outputs these are shows in the runs before the first
// recording.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/plan_cache.h"

namespace residua {

using Storages = std::vector<std::shared_ptr<Storage>>;

struct ReplayStats {
  int64_t recordings = 0;  // made so far
  int64_t replays = 0;
  std::string refusal;  // why runs are not recorded; empty as long as they may be
};

class Replay {
 public:
  struct Leaf {
    TensorDesc desc;
    bool is_written = false;  // updated by the program, or handed out by it: a copy will not do
  };
  // What a run enqueues, and what it hands out.
  struct Work {
    std::vector<PlannedRun> runs;
    std::vector<Tensor> kept;
  };
  // The work on these storages of leaves and outputs.
  using WorkOn = std::function<Work(const Storages& leaves, const Storages& outputs)>;

  Replay(Backend* backend, PlanCache* plans, const std::vector<Leaf>& leaves, const std::vector<TensorDesc>& outputs);

  // Runs the program, recording it first where it is due, and gives the outputs' storages. False where the caller is to
  // enqueue the work itself and to call NoteOutputs.
  bool Run(const Storages& leaves, const WorkOn& work_on, Storages* outputs);
  void NoteOutputs(const Storages& outputs);

  const ReplayStats& stats() const { return stats_; }

 private:
  struct LeafState {
    TensorDesc desc;
    bool is_written;
    std::weak_ptr<Storage> last;  // of the run before
    bool is_copied = false;
    std::shared_ptr<Storage> copy;
  };
  struct OutputState {
    TensorDesc desc;
    std::weak_ptr<Storage> last;  // handed out by the run before
    bool is_copied = false;
    std::shared_ptr<Storage> own;
  };

  void NoteLeaves(const Storages& leaves);
  void NoteHeldOutputs();
  std::shared_ptr<Storage> HandOut(OutputState* output, const std::shared_ptr<Storage>& copy);
  bool CopiesWhatIsWritten(const Storages& leaves) const;
  bool MayRecord() const;
  void Record(const Storages& leaves, const WorkOn& work_on);
  void Refuse(const std::string& why);
  void Copy(const TensorDesc& desc, const std::shared_ptr<Storage>& from, const std::shared_ptr<Storage>& to);

  Backend* backend_;
  PlanCache* plans_;
  std::vector<LeafState> leaves_;
  std::vector<OutputState> outputs_;
  std::unique_ptr<Recording> recording_;
  int64_t runs_ = 0;
  ReplayStats stats_;
};

}  // namespace residua
