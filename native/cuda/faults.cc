// Wrong data that only a kernel sees: which launches may have met it, and which tensors depend on them.
#include "cuda/faults.h"

#include <algorithm>

#include "cuda/failure.h"

namespace residua::cuda {

Dependence Dependence::Of(const std::vector<Tensor>& tensors) {
  Dependence all;
  for (const Tensor& tensor : tensors) {
    if (!all.Add(tensor.storage->status().get())) break;
  }
  return all;
}

bool Dependence::Add(Status* status) {
  if (status->error) {
    *this = {status->error, {}};
    return false;
  }
  if (!status->open_faults) return true;
  FaultList still_open;
  for (const auto& fault : *static_cast<const FaultList*>(status->open_faults.get())) {
    if (!fault->is_resolved()) {
      still_open.push_back(fault);
    } else if (fault->error()) {
      *status = {fault->error(), nullptr};
      *this = {status->error, {}};
      return false;
    }
  }
  AddOpen(still_open);
  if (still_open.empty()) status->open_faults = nullptr;
  return true;
}

void Dependence::AddOpen(const FaultList& faults) {
  for (const auto& fault : faults) {
    if (std::find(open.begin(), open.end(), fault) == open.end()) open.push_back(fault);
  }
}

void Dependence::SetFor(const std::vector<Tensor>& tensors) const {
  const auto faults = open.empty() ? nullptr : std::make_shared<const FaultList>(open);
  for (const Tensor& tensor : tensors) *tensor.storage->status() = {error, faults};
}

void Dependence::SetFor(Status* status) const {
  *status = {error, open.empty() ? nullptr : std::make_shared<const FaultList>(open)};
}

FaultLog::FaultLog(cudaStream_t stream, PendingError* pending)
    : stream_(stream), pending_(pending), host_(kSlots * kWords * sizeof(int32_t)), copied_(kSlots) {
  RESIDUA_CUDA(cudaMalloc(device_.address(), host_.bytes()));
  for (size_t slot = 0; slot < kSlots; ++slot) free_slots_.push_back(slot);
}

// A fault with a slot of its own.
std::shared_ptr<Fault> FaultLog::Take(std::shared_ptr<const PreparedPlan> plan, const Dependence& inherited) {
  auto fault = std::make_shared<Fault>();
  fault->plan_ = std::move(plan);
  fault->inherited_ = inherited;
  Poll();
  if (std::unique_lock<std::mutex> lock(mutex_); free_slots_.empty()) {
    lock.unlock();
    ResolveAll();
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    fault->slot_ = free_slots_.back();
    free_slots_.pop_back();
    fault->number_ = next_number_++;
  }
  fault->words_ = static_cast<int32_t*>(device_.get()) + fault->slot_ * kWords;
  return fault;
}

std::shared_ptr<Fault> FaultLog::Open(std::shared_ptr<const PreparedPlan> plan, const Dependence& inherited) {
  const std::shared_ptr<Fault> fault = Take(std::move(plan), inherited);
  try {
    RESIDUA_CUDA(cudaMemsetAsync(fault->words_, 0, kWords * sizeof(int32_t), stream_));
  } catch (...) {
    Drop(fault);
    throw;
  }
  return fault;
}

std::shared_ptr<Fault> FaultLog::Adopt(std::shared_ptr<const PreparedPlan> plan, const Dependence& inherited,
                                       const int32_t* words) {
  const std::shared_ptr<Fault> fault = Take(std::move(plan), inherited);
  try {
    RESIDUA_CUDA(cudaMemcpyAsync(fault->words_, words, kWords * sizeof(int32_t), cudaMemcpyDeviceToDevice, stream_));
    Close(fault);
  } catch (...) {
    Drop(fault);
    throw;
  }
  return fault;
}

void FaultLog::Close(const std::shared_ptr<Fault>& fault) {
  int32_t* copy = reinterpret_cast<int32_t*>(host_.data()) + fault->slot_ * kWords;
  RESIDUA_CUDA(cudaMemcpyAsync(copy, fault->words_, kWords * sizeof(int32_t), cudaMemcpyDeviceToHost, stream_));
  copied_[fault->slot_].Record(stream_);
  const std::lock_guard<std::mutex> lock(mutex_);
  open_.push_back(fault);
}

void FaultLog::Drop(const std::shared_ptr<Fault>& fault) {
  const std::lock_guard<std::mutex> lock(mutex_);
  free_slots_.push_back(fault->slot_);
}

void FaultLog::Poll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  while (!open_.empty() && copied_[open_.front()->slot_].IsDone()) ResolveOldest();
}

void FaultLog::ResolveAll() {
  RESIDUA_CUDA(cudaStreamSynchronize(stream_));
  const std::lock_guard<std::mutex> lock(mutex_);
  while (!open_.empty()) ResolveOldest();
}

std::shared_ptr<const Error> FaultLog::Resolve(const FaultList& faults) {
  uint64_t last = 0;
  for (const auto& fault : faults) last = std::max(last, fault->number_);
  const std::lock_guard<std::mutex> lock(mutex_);
  while (!open_.empty() && open_.front()->number_ <= last) ResolveOldest();
  for (const auto& fault : faults) {
    if (fault->error()) return fault->error();
  }
  return nullptr;
}

void FaultLog::FailAll(const std::shared_ptr<const Error>& error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  while (!open_.empty()) Finish(error);
}

// With the mutex held; its words have been copied.
void FaultLog::ResolveOldest() {
  const Fault& fault = *open_.front();
  for (const auto& earlier : fault.inherited_.open) {
    if (earlier->error()) return Finish(earlier->error());
  }
  const int32_t* copy = reinterpret_cast<const int32_t*>(host_.data()) + fault.slot_ * kWords;
  if (copy[0] == 0) return Finish(nullptr);
  const PreparedPlan& plan = *fault.plan_;
  const auto error = WithOp(plan.own().FaultError(copy[0], copy[1]), plan.op(), plan.inputs());
  pending_->Report(error);
  Finish(error);
}

// With the mutex held.
void FaultLog::Finish(const std::shared_ptr<const Error>& error) {
  const std::shared_ptr<Fault> fault = std::move(open_.front());
  open_.pop_front();
  fault->plan_ = nullptr;
  fault->inherited_ = {};
  fault->error_ = error;
  fault->is_resolved_.store(true, std::memory_order_release);
  free_slots_.push_back(fault->slot_);
}

}  // namespace residua::cuda
