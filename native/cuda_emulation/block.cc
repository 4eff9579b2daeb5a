// Runs the threads of a block as fibers, warp by warp, until each waits or has ended.
#include "cuda_emulation/block.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cuda_emulation/fibers.h"

namespace residua::cuda_emulation {
namespace {

constexpr size_t kGuard = 64;  // bytes behind the dynamic shared memory that must stay as they are
constexpr unsigned char kGuardByte = 0xA5;
constexpr unsigned char kUnsetByte = 0xFF;  // a NaN in every floating-point type

thread_local Block* current_block = nullptr;

}  // namespace

void Die(const Launch& launch, const char* format, ...) {
  std::fprintf(
      stderr, "cuda emulation: kernel %s (launched at %s:%d), block (%u, %u, %u), thread (%u, %u, %u): ", launch.kernel,
      launch.file, launch.line, blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
  std::va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fprintf(stderr, "\n");
  std::abort();
}

bool Place::operator==(const Place& other) const {
  return line == other.line && (file == other.file || std::strcmp(file, other.file) == 0);
}

Block* CurrentBlock() { return current_block; }
void SetCurrentBlock(Block* block) { current_block = block; }

Block::Block(const Launch& launch, const std::function<void()>& thread) : launch_(launch), body_(thread) {
  const dim3 size = launch.threads;
  for (unsigned z = 0; z < size.z; ++z) {
    for (unsigned y = 0; y < size.y; ++y) {
      for (unsigned x = 0; x < size.x; ++x) threads_.push_back({this, State::kReady, {x, y, z}});
    }
  }
  for (size_t begin = 0; begin < threads_.size(); begin += warpSize) {
    Warp warp = {};
    warp.begin = begin;
    warp.end = begin + warpSize < threads_.size() ? begin + warpSize : threads_.size();
    warps_.push_back(warp);
  }
  shared_memory_.resize(launch.shared_bytes + kGuard + 128);
  void* memory = shared_memory_.data();
  size_t space = shared_memory_.size();
  shared_ = std::align(128, launch.shared_bytes + kGuard, memory, space);
}

void Block::Run(uint3 index) {
  Reset(index);
  auto* guard = static_cast<unsigned char*>(shared_) + launch_.shared_bytes;
  std::memset(shared_, kUnsetByte, launch_.shared_bytes);
  std::memset(guard, kGuardByte, kGuard);
  while (Count(State::kEnded) < threads_.size()) {
    bool any_ran = false;
    for (const Warp& warp : warps_) any_ran |= RunWarp(warp);
    if (!any_ran) DieOfDivergence();
  }
  for (size_t i = 0; i < kGuard; ++i) {
    if (guard[i] != kGuardByte) Die(launch_, "wrote past its %zu bytes of dynamic shared memory", launch_.shared_bytes);
  }
}

void Block::Reset(uint3 index) {
  blockIdx = index;
  at_barrier_ = 0;
  for (Warp& warp : warps_) warp.arrived = 0;
  for (size_t i = 0; i < threads_.size(); ++i) {
    threads_[i].state = State::kReady;
    ThreadFibers().Start(i, &Block::RunThread, &threads_[i]);
  }
}

void Block::RunThread(void* thread) {
  auto* self = static_cast<Thread*>(thread);
  self->block->body_();
  self->state = State::kEnded;
}

bool Block::RunWarp(const Warp& warp) {
  FiberPool& fibers = ThreadFibers();
  bool any_ran = false;
  for (bool again = true; again;) {
    again = false;
    for (size_t i = warp.begin; i < warp.end; ++i) {
      if (threads_[i].state != State::kReady) continue;
      running_ = i;
      threadIdx = threads_[i].index;
      fibers.Resume(i);
      again = any_ran = true;
    }
  }
  return any_ran;
}

void Block::Yield(State state) {
  threads_[running_].state = state;
  ThreadFibers().Yield();
}

void Block::WaitForBlock(const Place& place) {
  if (at_barrier_ == 0) barrier_ = place;
  if (!(barrier_ == place)) {
    Die(launch_, "threads of the block wait at different barriers: %s:%d and %s:%d", barrier_.file, barrier_.line,
        place.file, place.line);
  }
  if (++at_barrier_ < threads_.size()) return Yield(State::kAtBarrier);
  at_barrier_ = 0;
  for (Thread& thread : threads_) {
    if (thread.state == State::kAtBarrier) thread.state = State::kReady;
  }
}

uint64_t Block::ExchangeInWarp(uint64_t bits, unsigned source, const Place& place) {
  Warp& warp = warps_[running_ / warpSize];
  if (warp.end - warp.begin < static_cast<size_t>(warpSize)) {
    Die(launch_, "a shuffle at %s:%d in a warp of %zu threads; blocks must be a multiple of %d", place.file, place.line,
        warp.end - warp.begin, warpSize);
  }
  if (warp.arrived == 0) warp.place = place;
  if (!(warp.place == place)) {
    Die(launch_, "lanes of a warp are at different shuffles: %s:%d and %s:%d", warp.place.file, warp.place.line,
        place.file, place.line);
  }
  const uint64_t* slots = warp.slots[warp.turn & 1];
  warp.slots[warp.turn & 1][lane()] = bits;
  if (++warp.arrived < static_cast<size_t>(warpSize)) {
    Yield(State::kInWarp);
    return slots[source];
  }
  warp.arrived = 0;
  ++warp.turn;
  for (size_t i = warp.begin; i < warp.end; ++i) {
    if (threads_[i].state == State::kInWarp) threads_[i].state = State::kReady;
  }
  return slots[source];
}

size_t Block::Count(State state) const {
  size_t count = 0;
  for (const Thread& thread : threads_) count += thread.state == state;
  return count;
}

void Block::DieOfDivergence() {
  const size_t ended = Count(State::kEnded), at_barrier = Count(State::kAtBarrier), in_warp = Count(State::kInWarp);
  const Place none = {"nowhere", 0};
  Place shuffle = none;
  for (const Warp& warp : warps_) {
    if (warp.arrived > 0) shuffle = warp.place;
  }
  const Place barrier = at_barrier > 0 ? barrier_ : none;
  Die(launch_,
      "no thread of the block can go on: %zu have ended, %zu wait at the barrier %s:%d, %zu wait for the rest of their "
      "warp in a shuffle at %s:%d",
      ended, at_barrier, barrier.file, barrier.line, in_warp, shuffle.file, shuffle.line);
}

}  // namespace residua::cuda_emulation
