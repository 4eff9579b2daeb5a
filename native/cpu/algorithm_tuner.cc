// Chooses between a convolution's algorithms by timing them once.
#include "cpu/algorithm_tuner.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>
#include <unordered_map>

namespace residua::cpu {
namespace {

using Candidate = AlgorithmTuner::Candidate;

constexpr double kBudgetSeconds = 1.5;
constexpr int kMaxRounds = 4;  // the first one warms up

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// One buffer for each argument, large enough for every candidate's form of it.
class Buffers {
 public:
  Buffers(std::shared_ptr<CachingAllocator> allocator, const std::vector<Candidate>& candidates)
      : allocator_(std::move(allocator)) {
    std::map<int, size_t> sizes;
    for (const Candidate& candidate : candidates) {
      for (const auto& [argument, desc] : candidate.arguments)
        sizes[argument] = std::max(sizes[argument], desc.get_size());
    }
    for (const auto& [argument, bytes] : sizes) {
      if (bytes > 0) memory_[argument] = allocator_->AllocateStorage(bytes);
    }
  }
  void* Get(int argument) const {
    const auto found = memory_.find(argument);
    return found == memory_.end() ? nullptr : found->second->data();
  }
  // Ones: no denormal numbers, no pages that are touched for the first time while the clock runs.
  void Fill() const {
    for (const auto& [argument, storage] : memory_) {
      float* values = static_cast<float*>(storage->data());
      ParallelFor(static_cast<int64_t>(storage->bytes() / sizeof(float)), 65536,
                  [&](int64_t begin, int64_t end) { std::fill(values + begin, values + end, 1.0f); });
    }
  }

 private:
  std::shared_ptr<CachingAllocator> allocator_;
  std::map<int, std::shared_ptr<Storage>> memory_;
};

double TimeOne(const CpuContext& context, const Candidate& candidate, const Buffers& buffers, void* scratch) {
  std::unordered_map<int, dnnl::memory> arguments;
  for (const auto& [argument, desc] : candidate.arguments) {
    arguments.emplace(argument, dnnl::memory(desc, context.engine, buffers.Get(argument)));
  }
  arguments.emplace(DNNL_ARG_SCRATCHPAD, dnnl::memory(candidate.scratchpad, context.engine, scratch));
  dnnl::stream stream = context.stream;
  const double start = Seconds();
  candidate.primitive.execute(stream, arguments);
  stream.wait();
  return Seconds() - start;
}

// Candidates run in turn, so that a slow moment of the machine hits all of them; the best time of each counts.
size_t TimeAll(const CpuContext& context, const std::vector<Candidate>& candidates, const Buffers& buffers,
               void* scratch) {
  omp_set_num_threads(context.threads);
  buffers.Fill();
  std::vector<double> best(candidates.size(), std::numeric_limits<double>::infinity());
  const double start = Seconds();
  for (int round = 0; round < kMaxRounds; ++round) {
    const double round_start = Seconds();
    for (size_t i = 0; i < candidates.size(); ++i)
      best[i] = std::min(best[i], TimeOne(context, candidates[i], buffers, scratch));
    const double now = Seconds();
    if (now - start + (now - round_start) > kBudgetSeconds) break;
  }
  return static_cast<size_t>(std::min_element(best.begin(), best.end()) - best.begin());
}

}  // namespace

std::optional<size_t> AlgorithmTuner::Known(const std::string& key) const {
  const auto found = choices_.find(key);
  return found == choices_.end() ? std::nullopt : std::optional<size_t>(found->second);
}

size_t AlgorithmTuner::Fastest(const CpuContext& context, const std::string& key,
                               const std::vector<Candidate>& candidates) {
  size_t scratch_bytes = 1;
  for (const Candidate& candidate : candidates)
    scratch_bytes = std::max(scratch_bytes, candidate.scratchpad.get_size());
  const Buffers buffers(allocator_, candidates);
  void* scratch = scratch_(scratch_bytes);
  size_t choice = 0;
  std::exception_ptr failure;
  thread_->Enqueue([&] {
    try {
      choice = TimeAll(context, candidates, buffers, scratch);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  thread_->Wait();
  if (failure) std::rethrow_exception(failure);
  choices_[key] = choice;
  file_.Save({{key, choice}});
  return choice;
}

}  // namespace residua::cpu
