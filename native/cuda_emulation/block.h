// The block of a cooperative kernel that runs on this thread: its fibers, and where each waits.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "cuda_emulation/emulated_kernels.h"

namespace residua::cuda_emulation {

// Ends the program: the kernel is wrong in a way that a GPU answers with a hang or with nonsense.
[[noreturn]] void Die(const Launch& launch, const char* format, ...) __attribute__((format(printf, 2, 3)));

// A barrier or shuffle in the source.
struct Place {
  const char* file = nullptr;
  int line = 0;
  bool operator==(const Place& other) const;
};

class Block {
 public:
  Block(const Launch& launch, const std::function<void()>& thread);

  // Runs all threads of block `index`.
  void Run(uint3 index);

  // What the threads call.
  void WaitForBlock(const Place& place);
  uint64_t ExchangeInWarp(uint64_t bits, unsigned source, const Place& place);
  unsigned lane() const { return running_ % warpSize; }
  void* shared() { return shared_; }
  const Launch& launch() const { return launch_; }

 private:
  enum class State { kReady, kInWarp, kAtBarrier, kEnded };
  struct Thread {
    Block* block;
    State state;
    uint3 index;  // threadIdx
  };
  struct Warp {
    size_t begin, end;  // threads
    size_t arrived;
    unsigned turn;  // exchanges so far; a lane can be one ahead of the slowest, so slots of two turns are kept
    uint64_t slots[2][warpSize];
    Place place;
  };

  static void RunThread(void* thread);
  void Reset(uint3 index);
  bool RunWarp(const Warp& warp);  // whether any of its threads could run
  void Yield(State state);
  [[noreturn]] void DieOfDivergence();
  size_t Count(State state) const;

  const Launch& launch_;
  const std::function<void()>& body_;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<unsigned char> shared_memory_;
  void* shared_ = nullptr;
  size_t running_ = 0;
  size_t at_barrier_ = 0;
  Place barrier_;
};

// The block that runs on this thread, or null.
Block* CurrentBlock();
void SetCurrentBlock(Block* block);

}  // namespace residua::cuda_emulation
