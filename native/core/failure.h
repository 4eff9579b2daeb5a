// What went wrong in an op: its inputs as text, and the first failure that nobody has been told of.
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace residua {

// "float32 [256, 1, 96, 96], float32 [64, 1, 7, 7]"
std::string ShapesOf(const std::vector<TensorDesc>& inputs);

// Any thread.
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

}  // namespace residua
