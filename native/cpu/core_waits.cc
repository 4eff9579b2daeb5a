// How long threads that could run had to wait for a core.
#include "cpu/core_waits.h"

#include <omp.h>

#include <cstdint>
#include <fstream>

namespace residua::cpu {
namespace {

// "<ns on a core> <ns waited for one> <time slices>"; the kernel's Documentation/scheduler/sched-stats.rst
uint64_t NanosecondsThisThreadWaited() {
  std::ifstream file("/proc/thread-self/schedstat");
  uint64_t ran = 0, waited = 0;
  return file >> ran >> waited ? waited : 0;
}

}  // namespace

double SecondsWaitedForCores() {
  uint64_t waited = 0;
#pragma omp parallel reduction(+ : waited)
  waited += NanosecondsThisThreadWaited();
  return static_cast<double>(waited) * 1e-9;
}

}  // namespace residua::cpu
