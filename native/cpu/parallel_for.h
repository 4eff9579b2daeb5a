// Splits a loop over the threads of the CPU backend (OpenMP).
#pragma once
#include <omp.h>

#include <cstdint>
#include <cstring>
#include <exception>

namespace residua::cpu {

// Runs body(begin, end) over [0, count) in equal parts, one a thread, or in one part where there is less than twice
// `grain` (elements) to do. All threads or one: libgomp ends threads that a smaller team leaves out, and starting them
// again is slow.
template <class Body>
void ParallelFor(int64_t count, int64_t grain, const Body& body) {
  const int64_t parts = count < 2 * grain ? 1 : omp_get_max_threads();
  if (parts <= 1) {
    body(int64_t{0}, count);
    return;
  }
  std::exception_ptr failure;  // an exception must not leave the parallel region
#pragma omp parallel for schedule(static, 1) num_threads(static_cast <int>(parts))
  for (int64_t part = 0; part < parts; ++part) {
    try {
      body(count * part / parts, count * (part + 1) / parts);
    } catch (...) {
#pragma omp critical(residua_parallel_for)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

inline void FillZero(void* data, size_t bytes) {
  ParallelFor(static_cast<int64_t>(bytes), 1 << 18, [data](int64_t begin, int64_t end) {
    std::memset(static_cast<char*>(data) + begin, 0, static_cast<size_t>(end - begin));
  });
}

}  // namespace residua::cpu
