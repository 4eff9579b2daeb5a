// How long each op took on the execution thread.
#include "cpu/profile.h"

#include <chrono>

namespace residua::cpu {
namespace {

// Of the op that this thread is running, where it is timed.
struct Reorders {
  bool timed = false;
  double milliseconds = 0;
};
thread_local Reorders reorders;

double Now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

OpClock::OpClock() : start_(Now()) { reorders = {true, 0}; }
OpClock::~OpClock() { reorders = {}; }

OpTime OpClock::Read(std::shared_ptr<PreparedPlan> plan, const CpuPlan& own_plan) const {
  const double milliseconds = Now() - start_;
  return {std::move(plan), own_plan.Algorithm(), milliseconds, reorders.milliseconds};
}

ReorderLap::ReorderLap() {
  if (reorders.timed) start_ = Now();
}
ReorderLap::~ReorderLap() {
  if (reorders.timed) reorders.milliseconds += Now() - start_;
}

}  // namespace residua::cpu
