// Chooses between algorithms by timing them once.
#include "cpu/algorithm_tuner.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <limits>

#include "cpu/core_waits.h"

namespace residua::cpu {
namespace {

using Candidate = AlgorithmTuner::Candidate;

constexpr double kBudgetSeconds = 1.0;
constexpr int kMaxRounds = 6;            // the first one warms up
constexpr double kClearlyFaster = 0.97;  // of the first candidate's time
constexpr double kDisturbed = 0.05;      // of the threads' time, waited for a core

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Timing {
  double seconds;
  bool disturbed;  // other programs were using the cores
};

// The best time of a candidate, in seconds.
struct Best {
  double undisturbed = std::numeric_limits<double>::infinity();
  double any = std::numeric_limits<double>::infinity();

  void Add(const Timing& timing) {
    any = std::min(any, timing.seconds);
    if (!timing.disturbed) undisturbed = std::min(undisturbed, timing.seconds);
  }
};

struct Choice {
  size_t candidate = 0;
  bool disturbed = false;  // a candidate never ran undisturbed
};

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

  Timing TimeOne(CpuPlan* plan, void* scratch) const {
    std::vector<void*> inputs, outputs;
    for (const auto& storage : inputs_) inputs.push_back(storage->data());
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const bool shares = i < plan->alias.size() && plan->alias[i] >= 0;
      outputs.push_back(shares ? inputs[static_cast<size_t>(plan->alias[i])] : outputs_[i]->data());
    }
    const double waited = SecondsWaitedForCores();
    const double start = Seconds();
    plan->Run(inputs.data(), outputs.data(), scratch);
    const double seconds = Seconds() - start;
    return {seconds, SecondsWaitedForCores() - waited > kDisturbed * omp_get_max_threads() * seconds};
  }

 private:
  std::vector<std::shared_ptr<Storage>> inputs_, outputs_;
};

Choice Choose(const std::vector<Best>& best) {
  Choice choice;
  for (const Best& each : best) choice.disturbed |= std::isinf(each.undisturbed);
  const auto seconds = [&](size_t i) { return choice.disturbed ? best[i].any : best[i].undisturbed; };
  size_t fastest = 0;
  for (size_t i = 1; i < best.size(); ++i) {
    if (seconds(i) < seconds(fastest)) fastest = i;
  }
  if (seconds(fastest) < kClearlyFaster * seconds(0)) choice.candidate = fastest;
  return choice;
}

// Candidates run in turn, so that a slow moment of the machine hits all of them; the best time of each counts.
Choice TimeAll(int threads, const std::vector<Candidate>& candidates, const Buffers& buffers, void* scratch) {
  omp_set_num_threads(threads);
  buffers.Fill();
  std::vector<Best> best(candidates.size());
  const double start = Seconds();
  for (int round = 0; round < kMaxRounds; ++round) {
    const double round_start = Seconds();
    for (size_t i = 0; i < candidates.size(); ++i) best[i].Add(buffers.TimeOne(candidates[i].plan.get(), scratch));
    const double now = Seconds();
    if (now - start + (now - round_start) > kBudgetSeconds) break;
  }
  return Choose(best);
}

bool KeepsDisturbed() {
  const char* tune = std::getenv("RESIDUA_TUNE");
  return tune && std::string(tune) == "keep";
}

}  // namespace

struct AlgorithmTuner::Job {
  Job(std::string job_key, CachingAllocator* allocator, const Descs& inputs, std::vector<Candidate> job_candidates)
      : key(std::move(job_key)), candidates(std::move(job_candidates)), buffers(allocator, inputs, candidates) {}

  const std::string key;
  const std::vector<Candidate> candidates;
  const Buffers buffers;
  Choice choice;
  std::exception_ptr failure;
  std::atomic<bool> done{false};
};

AlgorithmTuner::AlgorithmTuner(ExecutionThread* thread, std::shared_ptr<CachingAllocator> allocator,
                               std::function<void*(size_t)> scratch)
    : thread_(thread),
      allocator_(std::move(allocator)),
      scratch_(std::move(scratch)),
      file_(LibraryVersion() + ' ' + ProcessorName()),
      choices_(file_.Load()) {}

AlgorithmTuner::~AlgorithmTuner() = default;

std::string AlgorithmTuner::Known(const std::string& key) {
  FinishJob(key);
  const auto found = choices_.find(key);
  return found == choices_.end() ? "" : found->second;
}

std::string AlgorithmTuner::Fastest(const CpuContext& context, const std::string& key, const Descs& inputs,
                                    std::vector<Candidate> candidates) {
  size_t scratch_bytes = 1;
  for (const Candidate& candidate : candidates) scratch_bytes = std::max(scratch_bytes, candidate.plan->scratch_bytes);
  job_ = std::make_unique<Job>(key, allocator_.get(), inputs, std::move(candidates));
  thread_->Enqueue([job = job_.get(), threads = context.threads, scratch = scratch_(scratch_bytes)] {
    try {
      job->choice = TimeAll(threads, job->candidates, job->buffers, scratch);
    } catch (...) {
      job->failure = std::current_exception();
    }
    job->done = true;
  });
  FinishJob(key);
  return choices_.at(key);
}

// Keeps what the timing under way chooses. Its failure is told to who wants this key.
void AlgorithmTuner::FinishJob(const std::string& wanted_key) {
  if (!job_) return;
  if (!job_->done) {
    if (!waits_) throw StillTiming();
    thread_->Wait();
  }
  const std::unique_ptr<Job> job = std::move(job_);
  if (job->failure) {
    if (job->key == wanted_key) std::rethrow_exception(job->failure);
    return;
  }
  const std::string& name = job->candidates[job->choice.candidate].name;
  choices_[job->key] = name;
  if (!job->choice.disturbed || KeepsDisturbed()) file_.Save({{job->key, name}});
}

}  // namespace residua::cpu
