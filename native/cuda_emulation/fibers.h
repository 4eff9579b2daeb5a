// Fibers: functions on stacks of their own, which can be left in the middle and gone on with later. The threads of a
// cooperative kernel's block are such fibers, all on one thread of the host.
#pragma once
#include <cstddef>
#include <memory>
#include <vector>

namespace residua::cuda_emulation {

class FiberPool {
 public:
  static constexpr size_t kMostFibers = 1024;  // threads of the largest block

  FiberPool();
  ~FiberPool();
  FiberPool(const FiberPool&) = delete;
  FiberPool& operator=(const FiberPool&) = delete;

  // Fiber `index` will run `entry(argument)` from its beginning. It must not be under way.
  void Start(size_t index, void (*entry)(void*), void* argument);
  // Runs the fiber until it yields or ends: whether it has ended. Called from outside any fiber.
  bool Resume(size_t index);
  // Leaves the running fiber. Called from inside it.
  void Yield();

 private:
  struct Fiber;
  static void Enter();  // the bottom of each fiber's stack

  char* StackOf(size_t index) const;

  char* memory_ = nullptr;  // kMostFibers stacks, each above a page that faults
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::unique_ptr<Fiber> outside_;
  Fiber* running_ = nullptr;
};

// The calling thread's; made when first used.
FiberPool& ThreadFibers();

}  // namespace residua::cuda_emulation
