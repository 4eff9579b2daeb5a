// Chooses between algorithms by timing them once.
#include "cpu/algorithm_tuner.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>

namespace residua::cpu {
namespace {

using Candidate = AlgorithmTuner::Candidate;

constexpr double kBudgetSeconds = 1.0;
constexpr int kMaxRounds = 6;            // the first one warms up
constexpr double kClearlyFaster = 0.97;  // of the first candidate's time

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// One buffer for each input and each output, large enough for every candidate's form of it.
class Buffers {
 public:
  Buffers(CachingAllocator* allocator, const Descs& inputs, const std::vector<Candidate>& candidates) {
    for (const TensorDesc& input : inputs) inputs_.push_back(allocator->AllocateStorage(input.bytes));
    std::vector<size_t> sizes(candidates[0].plan->outputs.size());
    for (const Candidate& candidate : candidates) {
      for (size_t i = 0; i < sizes.size(); ++i) sizes[i] = std::max(sizes[i], candidate.plan->outputs[i].bytes);
    }
    for (size_t bytes : sizes) outputs_.push_back(allocator->AllocateStorage(bytes));
  }

  // Ones: no denormal numbers, no pages that are touched for the first time while the clock runs.
  void Fill() const {
    for (const auto* group : {&inputs_, &outputs_}) {
      for (const std::shared_ptr<Storage>& storage : *group) {
        float* values = static_cast<float*>(storage->data());
        ParallelFor(static_cast<int64_t>(storage->bytes() / sizeof(float)), 65536,
                    [&](int64_t begin, int64_t end) { std::fill(values + begin, values + end, 1.0f); });
      }
    }
  }

  double TimeOne(CpuPlan* plan, void* scratch) const {
    std::vector<void*> inputs, outputs;
    for (const auto& storage : inputs_) inputs.push_back(storage->data());
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const bool shares = i < plan->alias.size() && plan->alias[i] >= 0;
      outputs.push_back(shares ? inputs[static_cast<size_t>(plan->alias[i])] : outputs_[i]->data());
    }
    const double start = Seconds();
    plan->Run(inputs.data(), outputs.data(), scratch);
    return Seconds() - start;
  }

 private:
  std::vector<std::shared_ptr<Storage>> inputs_, outputs_;
};

// Candidates run in turn, so that a slow moment of the machine hits all of them; the best time of each counts.
size_t TimeAll(int threads, const std::vector<Candidate>& candidates, const Buffers& buffers, void* scratch) {
  omp_set_num_threads(threads);
  buffers.Fill();
  std::vector<double> best(candidates.size(), std::numeric_limits<double>::infinity());
  const double start = Seconds();
  for (int round = 0; round < kMaxRounds; ++round) {
    const double round_start = Seconds();
    for (size_t i = 0; i < candidates.size(); ++i)
      best[i] = std::min(best[i], buffers.TimeOne(candidates[i].plan.get(), scratch));
    const double now = Seconds();
    if (now - start + (now - round_start) > kBudgetSeconds) break;
  }
  const auto fastest = std::min_element(best.begin(), best.end());
  return *fastest < kClearlyFaster * best[0] ? static_cast<size_t>(fastest - best.begin()) : 0;
}

}  // namespace

std::string AlgorithmTuner::Known(const std::string& key) const {
  const auto found = choices_.find(key);
  return found == choices_.end() ? "" : found->second;
}

std::string AlgorithmTuner::Fastest(const CpuContext& context, const std::string& key, const Descs& inputs,
                                    const std::vector<Candidate>& candidates) {
  size_t scratch_bytes = 1;
  for (const Candidate& candidate : candidates) scratch_bytes = std::max(scratch_bytes, candidate.plan->scratch_bytes);
  const Buffers buffers(allocator_.get(), inputs, candidates);
  void* scratch = scratch_(scratch_bytes);
  size_t choice = 0;
  std::exception_ptr failure;
  thread_->Enqueue([&] {
    try {
      choice = TimeAll(context.threads, candidates, buffers, scratch);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  thread_->Wait();
  if (failure) std::rethrow_exception(failure);
  const std::string& name = candidates[choice].name;
  choices_[key] = name;
  file_.Save({{key, name}});
  return name;
}

}  // namespace residua::cpu
