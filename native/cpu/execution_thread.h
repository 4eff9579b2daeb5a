// The one thread that runs a CPU backend's work, in order. It is the OpenMP master: its team does the parallel loops.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace residua::cpu {

class ExecutionThread {
 public:
  using Task = std::function<void()>;  // must not throw

  ExecutionThread();
  ~ExecutionThread();  // runs what is enqueued, then ends
  ExecutionThread(const ExecutionThread&) = delete;
  ExecutionThread& operator=(const ExecutionThread&) = delete;

  // Blocks while kCapacity single tasks are waiting, so that nobody runs ahead without bound. Not to be called from a
  // task.
  void Enqueue(Task task);

  // What is enqueued in between is put aside, and enqueued as a group at the end: whoever enqueues much has the core to
  // itself meanwhile. The end blocks while kGroups groups and kCapacity tasks are waiting: of a deep net a single
  // step's are more. May be nested.
  void BeginTogether();
  void EndTogether();

  // Returns when everything enqueued before, put aside or not, has run.
  void Wait();

 private:
  static constexpr size_t kCapacity = 512, kGroups = 2;
  struct Waiting {
    Task task;
    bool is_single, ends_group;
  };
  void Loop();
  void EnqueueAside(std::unique_lock<std::mutex>* lock);

  std::mutex mutex_;
  std::condition_variable work_, room_, idle_;
  std::deque<Waiting> tasks_;
  size_t singles_ = 0, groups_ = 0;  // among them
  std::vector<Task> aside_;
  int together_ = 0;  // how many beginnings have no end yet
  uint64_t enqueued_ = 0, finished_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace residua::cpu
