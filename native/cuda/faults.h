// Wrong data that only a kernel sees, such as a label that is no class. The kernel writes it into two words of device
// memory; this log copies them to the host behind the kernel, tells what they mean, and keeps account of which tensors
// depend on it: reading those fails, and nothing is updated with them. The same as the CPU backend does, without
// waiting for the GPU.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "core/failure.h"
#include "cuda/owned.h"
#include "cuda/prepared_plan.h"

namespace residua::cuda {

class Fault;
using FaultList = std::vector<std::shared_ptr<Fault>>;

// What the values of tensors depend on: a failure that is known, or faults of which nobody knows yet whether they are.
struct Dependence {
  std::shared_ptr<const Error> error;
  FaultList open;

  static Dependence Of(const std::vector<Tensor>& tensors);
  void SetFor(const std::vector<Tensor>& tensors) const;
  void SetFor(Status* status) const;

  // Adds what a tensor of this status depends on; false where its failure is known, which is then all there is.
  bool Add(Status* status);
  void AddOpen(const FaultList& faults);
};

// One launch of a plan that can fault.
class Fault {
 public:
  int32_t* words() const { return words_; }  // in device memory
  bool is_resolved() const { return is_resolved_.load(std::memory_order_acquire); }
  // Once it is resolved: the failure, or null.
  const std::shared_ptr<const Error>& error() const { return error_; }

 private:
  friend class FaultLog;
  std::shared_ptr<const PreparedPlan> plan_;  // until it is resolved, like the next two
  Dependence inherited_;                      // a launch on wrong data is no failure of its own
  size_t slot_ = 0;
  int32_t* words_ = nullptr;
  uint64_t number_ = 0;
  std::shared_ptr<const Error> error_;
  std::atomic<bool> is_resolved_{false};
};

class FaultLog {
 public:
  static constexpr size_t kWords = 2;  // of a fault: 1 + index, what was found

  // Failures are reported to `pending` in the order of the launches.
  FaultLog(cudaStream_t stream, PendingError* pending);

  // Before the launch: words of 0. Waits for the GPU where too many faults are open.
  std::shared_ptr<Fault> Open(std::shared_ptr<const PreparedPlan> plan, const Dependence& inherited);
  // Instead of Open and Close, after a launch that wrote other words, which will be used again.
  std::shared_ptr<Fault> Adopt(std::shared_ptr<const PreparedPlan> plan, const Dependence& inherited,
                               const int32_t* words);
  // After the launch.
  void Close(const std::shared_ptr<Fault>& fault);
  // Instead, where the launch failed.
  void Drop(const std::shared_ptr<Fault>& fault);

  // Resolves the faults whose launches are done. Waits for nothing.
  void Poll();
  // Waits for the stream and resolves all.
  void ResolveAll();
  // Any thread: resolves `faults`, whose launches are done, and gives the first failure among them, or null.
  std::shared_ptr<const Error> Resolve(const FaultList& faults);
  // The GPU is lost: whatever is open has failed.
  void FailAll(const std::shared_ptr<const Error>& error);

 private:
  static constexpr size_t kSlots = 128;

  std::shared_ptr<Fault> Take(std::shared_ptr<const PreparedPlan> plan, const Dependence& inherited);
  void ResolveOldest();
  void Finish(const std::shared_ptr<const Error>& error);

  cudaStream_t stream_;
  PendingError* pending_;
  Owned<void*, cudaFree> device_;  // kSlots * kWords words
  PinnedMemory host_;              // copies of them
  std::vector<Event> copied_;      // of each slot
  std::mutex mutex_;
  std::vector<size_t> free_slots_;
  std::deque<std::shared_ptr<Fault>> open_;  // in the order of their launches
  uint64_t next_number_ = 1;
};

}  // namespace residua::cuda
