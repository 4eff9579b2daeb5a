// The number of OpenMP threads, set for a while.
#pragma once
#include <omp.h>

namespace residua::cpu {

// oneDNN makes primitives for the number of threads that OpenMP would use on the calling thread.
class OpenMpThreads {
 public:
  explicit OpenMpThreads(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~OpenMpThreads() { omp_set_num_threads(before_); }

 private:
  int before_;
};

}  // namespace residua::cpu
