// The one thread that runs a CPU backend's work, in order. It is the OpenMP master: its team does the parallel loops.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace residua::cpu {

class ExecutionThread {
 public:
  using Task = std::function<void()>;  // must not throw

  ExecutionThread();
  ~ExecutionThread();  // runs what is enqueued, then ends
  ExecutionThread(const ExecutionThread&) = delete;
  ExecutionThread& operator=(const ExecutionThread&) = delete;

  // Blocks while kCapacity tasks are waiting, so that nobody runs ahead without bound. Not to be called from a task.
  void Enqueue(Task task);

  // Returns when everything enqueued before has run.
  void Wait();

 private:
  static constexpr size_t kCapacity = 512;
  void Loop();

  std::mutex mutex_;
  std::condition_variable work_, room_, idle_;
  std::deque<Task> tasks_;
  uint64_t enqueued_ = 0, finished_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace residua::cpu
