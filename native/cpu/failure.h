// What went wrong in an op: one kind of error out of many, and the first one that nobody has been told of.
#pragma once
#include <memory>
#include <mutex>
#include <utility>

#include "core/op.h"
#include "cpu/cpu_plan.h"

namespace residua::cpu {

// The exception that is being handled, as an Error that names the op and its shapes. To be called in a catch block.
std::shared_ptr<const Error> CurrentFailure(const Op& op, const Descs& inputs);

class PendingError {
 public:
  using Pointer = std::shared_ptr<const Error>;

  void Report(const Pointer& error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!first_) first_ = error;
  }
  // Somebody has been told of `error` in another way.
  void MarkTold(const Pointer& error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (first_ == error) first_ = nullptr;
  }
  Pointer Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(first_, nullptr);
  }

 private:
  std::mutex mutex_;
  Pointer first_;
};

}  // namespace residua::cpu
