// Splits a loop over the threads of the CPU backend (OpenMP).
#pragma once
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <exception>
#include <vector>

namespace residua::cpu {

// The pieces of a loop, an equal share for each thread. A thread takes its own one after the other, from memory that it
// had before, and then what others have left: cores are seldom equally fast, as the rest of the system uses them too.
class SharedPieces {
 public:
  SharedPieces(int64_t threads, int64_t pieces_of_thread) : pieces_(pieces_of_thread), shares_(threads) {}

  // Calls take(piece) for pieces until none is left.
  template <class Take>
  void Run(int64_t thread, const Take& take) {
    const auto threads = static_cast<int64_t>(shares_.size());
    for (int64_t i = 0; i < threads; ++i) {
      const int64_t share = (thread + i) % threads;
      std::atomic<int64_t>& next = shares_[static_cast<size_t>(share)].next;
      for (int64_t piece; (piece = next.fetch_add(1, std::memory_order_relaxed)) < pieces_;) {
        take(share * pieces_ + piece);
      }
    }
  }

 private:
  struct alignas(64) Share {  // a cache line
    std::atomic<int64_t> next{0};
  };
  int64_t pieces_;
  std::vector<Share> shares_;
};

constexpr int64_t kMostPieces = 8;  // of a thread

// Runs body(begin, end) over [0, count) in pieces of about equal size, not less than `grain` (elements), or in one
// piece where there is less than twice as much to do. Which thread runs a piece may differ from call to call, and the
// number of pieces with that of threads: results must not depend on them. All threads or one: libgomp ends threads that
// a smaller team leaves out, and starting them again is slow.
template <class Body>
void ParallelFor(int64_t count, int64_t grain, const Body& body) {
  const int64_t threads = count < 2 * grain ? 1 : omp_get_max_threads();
  if (threads <= 1) {
    body(int64_t{0}, count);
    return;
  }
  const int64_t pieces_of_thread = std::clamp<int64_t>(count / (threads * grain), 1, kMostPieces);
  const int64_t pieces = threads * pieces_of_thread;
  SharedPieces shared(threads, pieces_of_thread);
  std::exception_ptr failure;  // an exception must not leave the parallel region
#pragma omp parallel num_threads(static_cast <int>(threads))
  shared.Run(omp_get_thread_num(), [&](int64_t piece) {
    const int64_t begin = count * piece / pieces, end = count * (piece + 1) / pieces;
    try {
      if (begin < end) body(begin, end);
    } catch (...) {
#pragma omp critical(residua_parallel_for)
      failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
}

inline void FillZero(void* data, size_t bytes) {
  ParallelFor(static_cast<int64_t>(bytes), 1 << 18, [data](int64_t begin, int64_t end) {
    std::memset(static_cast<char*>(data) + begin, 0, static_cast<size_t>(end - begin));
  });
}

}  // namespace residua::cpu
