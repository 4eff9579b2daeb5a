// Launches that were captured into a CUDA graph, and what is done on the host for each of its runs: telling what the
// outputs depend on (faults.h), as the launch of each op by itself does.
#pragma once
#include <memory>
#include <vector>

#include "core/backend.h"
#include "cuda/allocator.h"
#include "cuda/failure.h"
#include "cuda/faults.h"
#include "cuda/recording_sources.h"
#include "cuda/stream_capture.h"

namespace residua::cuda {

// What a recording uses of its backend, which outlives it.
struct RecordingParts {
  const CudaContext* context;
  std::shared_ptr<CachingAllocator> allocator;
  FaultLog* faults;
  DeviceHealth* health;
  std::shared_ptr<DeviceMemory> scratch;  // what the largest of the plans asks for
};

class CudaRecording : public Recording {
 public:
  // Throws Error where the launches cannot be captured. Memory of `runs` and `kept` must stay.
  CudaRecording(RecordingParts parts, const std::vector<PlannedRun>& runs, const std::vector<Tensor>& kept);

  bool Replay() override;

 private:
  // A launch that may fault.
  struct OwnFault {
    std::shared_ptr<PreparedPlan> plan;
    Sources sources;
    int32_t* words;
  };
  struct Kept {
    std::shared_ptr<Status> status;
    Sources sources;
  };

  int32_t* WordsOf(size_t fault) const;
  void Capture(const std::vector<PlannedRun>& runs);
  void Launch(const PlannedRun& run);
  bool LaunchGraph();
  void SetGuard(const FaultList& open);
  void TellStatuses(const std::vector<FaultList>& of_leaves);

  RecordingParts parts_;
  std::vector<std::shared_ptr<PreparedPlan>> plans_;  // their kernels may belong to them
  DeviceMemory words_;                                // the guard, then those of each fault
  SourceMap sources_;
  std::vector<OwnFault> faults_;
  std::vector<Kept> kept_;
  ExecutableGraph graph_;
  bool has_updates_ = false;
  bool guard_may_be_set_ = false;
};

}  // namespace residua::cuda
