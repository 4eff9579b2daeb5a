// The two threads of the emulation: one runs host functions (and nothing else, as CUDA's does), one brings streams on
// to the host functions that are queued in them, because nobody may be waiting for those. Both live until the process
// ends.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "cuda_emulation/queue.h"

namespace residua::cuda_emulation {
namespace {

// A thread that takes jobs one after another.
class Worker {
 public:
  using Job = std::function<void()>;

  Worker() {
    std::thread([this] { Run(); }).detach();
  }

  void Post(Job job) {
    const std::lock_guard<std::mutex> lock(mutex_);
    jobs_.push_back(std::move(job));
    posted_.notify_one();
  }

 private:
  void Run() {
    for (;;) {
      std::unique_lock<std::mutex> lock(mutex_);
      posted_.wait(lock, [this] { return !jobs_.empty(); });
      const Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Job> jobs_;
};

}  // namespace

void RunHostFunction(const Work& work) {
  static auto* worker = new Worker;  // never destroyed, as its thread
  std::mutex mutex;
  std::condition_variable done;
  bool is_done = false;
  worker->Post([&] {
    {
      const HostFunctionScope scope;
      work();
    }
    const std::lock_guard<std::mutex> lock(mutex);
    is_done = true;
    done.notify_one();  // under the lock: the waiting thread takes both objects away as soon as it can
  });
  std::unique_lock<std::mutex> lock(mutex);
  done.wait(lock, [&] { return is_done; });
}

void BringOn(const std::shared_ptr<Record>& record) {
  static auto* worker = new Worker;
  worker->Post([record] {
    Runtime& runtime = Runtime::Get();
    Lock lock(runtime.mutex);
    RunUntil(&runtime, &lock, *record);
  });
}

}  // namespace residua::cuda_emulation
