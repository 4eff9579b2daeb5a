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
  if (together_ > 0) {
    aside_.push_back(std::move(task));
    return;
  }
  room_.wait(lock, [this] { return singles_ < kCapacity; });
  tasks_.push_back({std::move(task), true, false});
  ++singles_;
  ++enqueued_;
  work_.notify_one();
}

void ExecutionThread::BeginTogether() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++together_;
}

void ExecutionThread::EndTogether() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (--together_ == 0) EnqueueAside(&lock);
}

void ExecutionThread::EnqueueAside(std::unique_lock<std::mutex>* lock) {
  if (aside_.empty()) return;
  room_.wait(*lock, [this] { return groups_ < kGroups || tasks_.size() < kCapacity; });
  for (Task& task : aside_) tasks_.push_back({std::move(task), false, false});
  tasks_.back().ends_group = true;
  ++groups_;
  enqueued_ += aside_.size();
  aside_.clear();
  work_.notify_one();
}

void ExecutionThread::Wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  EnqueueAside(&lock);
  const uint64_t target = enqueued_;
  idle_.wait(lock, [&] { return finished_ >= target; });
}

void ExecutionThread::Loop() {
  pthread_setname_np(pthread_self(), "residua-cpu");
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    Task task = std::move(tasks_.front().task);
    singles_ -= tasks_.front().is_single;
    groups_ -= tasks_.front().ends_group;
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
