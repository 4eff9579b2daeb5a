// The one thread that runs a CPU backend's work, in order.
#include "cpu/execution_thread.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace residua::cpu {

ExecutionThread::ExecutionThread() {
  // Signals are for the main thread: this one, and the OpenMP threads it starts, inherit the mask.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Loop(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ExecutionThread::~ExecutionThread() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void ExecutionThread::Enqueue(Task task) {
  std::unique_lock<std::mutex> lock(mutex_);
  room_.wait(lock, [this] { return tasks_.size() < kCapacity; });
  tasks_.push_back(std::move(task));
  ++enqueued_;
  lock.unlock();
  work_.notify_one();
}

void ExecutionThread::Wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t target = enqueued_;
  idle_.wait(lock, [&] { return finished_ >= target; });
}

void ExecutionThread::Loop() {
  pthread_setname_np(pthread_self(), "residua-cpu");
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    room_.notify_one();
    task();
    task = nullptr;  // what it holds goes before anybody is told that it is done
    lock.lock();
    ++finished_;
    idle_.notify_all();
  }
}

}  // namespace residua::cpu
