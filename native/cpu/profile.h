// How long each op took on the execution thread, where somebody asked. Off, it costs one test an op and one a reorder.
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cpu/prepared_plan.h"

namespace residua::cpu {

// One run of an op.
struct OpTime {
  std::shared_ptr<PreparedPlan> plan;  // which op, of what inputs
  std::string algorithm;               // of its primitive, as oneDNN names it; empty for loops of residua's own
  double milliseconds = 0;             // all of it
  double reorder_milliseconds = 0;     // the part in which inputs and outputs are moved to other layouts
};

class Profile {
 public:
  // The JavaScript thread: whether what is enqueued from now on is timed.
  void Switch(bool on) { on_ = on; }
  Profile* IfOn() { return on_ ? this : nullptr; }

  // The execution thread.
  void Add(OpTime time) {
    const std::lock_guard<std::mutex> lock(mutex_);
    times_.push_back(std::move(time));
  }

  // All that was added since the last call, in order.
  std::vector<OpTime> Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(times_, {});
  }

 private:
  bool on_ = false;
  std::mutex mutex_;
  std::vector<OpTime> times_;
};

// The clock of one op's run. While it exists, reorders on its thread are timed too.
class OpClock {
 public:
  OpClock();
  ~OpClock();
  OpClock(const OpClock&) = delete;
  OpClock& operator=(const OpClock&) = delete;

  // What was measured so far, as of one run of `plan`, which `own_plan` did.
  OpTime Read(std::shared_ptr<PreparedPlan> plan, const CpuPlan& own_plan) const;

 private:
  double start_;
};

// Adds its life to the reorders of the op that this thread is running, where that is timed.
class ReorderLap {
 public:
  ReorderLap();
  ~ReorderLap();
  ReorderLap(const ReorderLap&) = delete;
  ReorderLap& operator=(const ReorderLap&) = delete;

 private:
  double start_ = 0;
};

}  // namespace residua::cpu
