// Chooses between algorithms by timing them once, when the op is prepared. A choice is kept for as long as the backend
// lives, so that a process computes the same bits each time, and in a file for the processes after it
// (cpu/tuning_file.h). Where that is missing two processes may choose differently, and their results then differ by
// rounding. A choice for which other programs left too few cores (cpu/core_waits.h) is not written to the file: the
// next process times again. RESIDUA_TUNE=keep writes it too, for machines that are always busy. RESIDUA_TUNE=0 turns
// all of it off: always the first candidate, the same bits in every process.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cpu/caching_allocator.h"
#include "cpu/cpu_info.h"
#include "cpu/cpu_plan.h"
#include "cpu/execution_thread.h"
#include "cpu/tuning_file.h"

namespace residua::cpu {

class AlgorithmTuner {
 public:
  struct Candidate {
    std::string name;
    PlanPtr plan;
  };

  // `scratch(bytes)` gives the backend's shared scratch, grown to `bytes`.
  AlgorithmTuner(ExecutionThread* thread, std::shared_ptr<CachingAllocator> allocator,
                 std::function<void*(size_t)> scratch);
  ~AlgorithmTuner();  // once the execution thread has ended

  // Name of the candidate chosen for `key` before; "" for none. Throws StillTiming: see SetWaits.
  std::string Known(const std::string& key);
  // Times the candidates, plans for these `inputs`, on the execution thread (about a second at most). Keeps and returns
  // the name of the fastest: the first candidate, unless another is faster by more than what timing errs. Throws
  // StillTiming: see SetWaits.
  std::string Fastest(const CpuContext& context, const std::string& key, const Descs& inputs,
                      std::vector<Candidate> candidates);

  // Whether both wait while candidates are timed (as they do at first), or throw StillTiming.
  void SetWaits(bool on) { waits_ = on; }

 private:
  struct Job;
  void FinishJob(const std::string& wanted_key);

  ExecutionThread* thread_;
  std::shared_ptr<CachingAllocator> allocator_;
  std::function<void*(size_t)> scratch_;
  TuningFile file_;
  std::map<std::string, std::string> choices_;
  std::unique_ptr<Job> job_;  // the timing that is under way, or that nobody has asked for since
  bool waits_ = true;
};

}  // namespace residua::cpu
