// The CPU backend: plans ops with oneDNN, runs them in order on one thread of its own, owns their memory.
#include "cpu/cpu_backend.h"

#include <omp.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "core/cores.h"
#include "cpu/algorithm_tuner.h"
#include "cpu/caching_allocator.h"
#include "cpu/conversion_plan.h"
#include "cpu/cpu_info.h"
#include "cpu/cpu_plan.h"
#include "cpu/execution_thread.h"
#include "cpu/failure.h"
#include "cpu/openmp_threads.h"
#include "cpu/plan_run.h"
#include "cpu/prepared_plan.h"
#include "cpu/staging_pool.h"
#include "cpu/system_memory.h"

namespace residua {
namespace cpu {
namespace {

PrepareFn PrepareOf(OpKind kind) {
  switch (kind) {
#define RESIDUA_CASE(Name) \
  case OpKind::k##Name:    \
    return Prepare##Name;
    RESIDUA_CPU_OPS(RESIDUA_CASE)
#undef RESIDUA_CASE
    case OpKind::kCount:
      break;
  }
  throw Error(ErrorCode::kNative, "The CPU backend does not know this op.");
}

void CopyBytes(void* to, const void* from, size_t bytes) {
  ParallelFor(static_cast<int64_t>(bytes), 1 << 18, [&](int64_t begin, int64_t end) {
    std::memcpy(static_cast<char*>(to) + begin, static_cast<const char*>(from) + begin,
                static_cast<size_t>(end - begin));
  });
}

}  // namespace

class CpuBackend : public Backend {
 public:
  CpuBackend() {
    context_.engine = dnnl::engine(dnnl::engine::kind::cpu, 0);
    context_.stream = dnnl::stream(context_.engine);
    allocator_ = std::make_shared<CachingAllocator>([this] { thread_->Wait(); });
    thread_ = std::make_unique<ExecutionThread>();
    SetThreads(AvailableCores());
    has_bfloat16_ = HasBFloat16(context_.engine);
    const char* tune = std::getenv("RESIDUA_TUNE");
    if (tune && std::string(tune) == "0") return;
    tuner_ =
        std::make_unique<AlgorithmTuner>(thread_.get(), allocator_, [this](size_t bytes) { return Scratch(bytes); });
    context_.tuner = tuner_.get();
  }

  ~CpuBackend() override {
    thread_ = nullptr;  // runs what is enqueued
    allocator_->Detach();
    if (scratch_) allocator_->Free(scratch_);
  }

  std::string name() const override { return "cpu"; }

  std::vector<std::pair<std::string, std::string>> Describe() const override {
    const MemoryInfo memory = SystemMemory();
    return {{"library", LibraryVersion()},
            {"instructionSet", InstructionSet()},
            {"threads", std::to_string(context_.threads)},
            {"openMP", OpenMpRuntime()},
            {"memoryTotal", FormatBytes(memory.total)},
            {"memoryAvailable", FormatBytes(memory.available)},
            {"bfloat16", has_bfloat16_ ? "yes" : "no"}};
  }

  bool Supports(DType dtype) const override {
    if (dtype == DType::kBFloat16) return has_bfloat16_;
    return dtype != DType::kFloat16;
  }

  std::shared_ptr<Plan> Prepare(const Op& op, const std::vector<TensorDesc>& inputs,
                                std::vector<TensorDesc> outputs) override {
    PlanPtr plan = PrepareOwn(op, inputs, outputs);
    return std::make_shared<PreparedPlan>(op, inputs, std::move(outputs), std::move(plan), context_.threads);
  }

  std::shared_ptr<Storage> Allocate(size_t bytes) override { return allocator_->AllocateStorage(bytes); }

  void Enqueue(std::shared_ptr<Plan> plan, const std::vector<Tensor>& inputs,
               const std::vector<Tensor>& outputs) override {
    auto prepared = std::static_pointer_cast<PreparedPlan>(plan);  // all plans come from Prepare
    if (!prepared->ConsideredFor(context_.threads)) {
      prepared->ReplaceFor(context_.threads, PrepareOwn(prepared->op(), prepared->inputs(), prepared->inferred()));
    }
    void* scratch = Scratch(prepared->scratch_bytes);
    thread_->Enqueue([this, run = PlanRun(prepared, inputs, outputs, scratch, profile_.IfOn())]() mutable {
      run.Execute(&pending_);
    });
  }

  void BeginTogether() override { thread_->BeginTogether(); }
  void EndTogether() override { thread_->EndTogether(); }

  void Upload(const void* host, size_t bytes, const Tensor& to) override {
    constexpr size_t kRidesAlong = 64 << 10;
    const std::shared_ptr<Status>& status = to.storage->status();
    char* target = static_cast<char*>(to.storage->data());
    const char* source = static_cast<const char*>(host);
    if (bytes <= kRidesAlong) {
      thread_->Enqueue([target, status, values = std::vector<char>(source, source + bytes)] {
        std::memcpy(target, values.data(), values.size());
        status->error = nullptr;
      });
      return;
    }
    for (size_t offset = 0; offset < bytes; offset += StagingPool::kMaxBuffer) {
      const size_t length = std::min(StagingPool::kMaxBuffer, bytes - offset);
      uint8_t* staged = staging_.Acquire(length);
      std::memcpy(staged, source + offset, length);
      thread_->Enqueue([this, target, offset, length, staged, status] {
        CopyBytes(target + offset, staged, length);
        staging_.Release(staged);
        status->error = nullptr;
      });
    }
  }

  void DownloadAsync(const Tensor& from, std::function<void(Download)> done) override {
    thread_->Enqueue(
        [this, desc = from.desc, data = from.storage->data(), status = from.storage->status(), done = std::move(done)] {
          Download download;
          download.error = status->error;
          if (!download.error) CopyToHost(desc, data, &download);
          pending_.MarkTold(download.error);
          done(std::move(download));
        });
  }

  Tensor Convert(const Tensor& from, const TensorDesc& to) override {
    const OpenMpThreads threads(context_.threads);
    auto plan = std::make_shared<ConversionPlan>(context_, from.desc, to);
    const Tensor converted{plan->outputs[0], Allocate(plan->outputs[0].bytes)};
    const Op copy{OpKind::kCopy, NoParams{}};
    Enqueue(std::make_shared<PreparedPlan>(copy, Descs{from.desc}, Descs{to}, plan, context_.threads), {from},
            {converted});
    return converted;
  }

  void Synchronize() override { thread_->Wait(); }

  std::shared_ptr<const Error> TakePendingError() override { return pending_.Take(); }

  // Plans that exist are made again, for the new number, when they are next enqueued.
  void SetThreads(int threads) override {
    context_.threads = threads;
    thread_->Enqueue([threads] { omp_set_num_threads(threads); });
  }

  void SetTuning(bool on) override { context_.tuner = on ? tuner_.get() : nullptr; }

  void SetWaitsForTiming(bool on) override {
    if (tuner_) tuner_->SetWaits(on);
  }

  Profile& profile() { return profile_; }

  MemoryStats Memory() const override { return allocator_->Stats(); }

  void Trim() override {
    if (scratch_) allocator_->Free(std::exchange(scratch_, nullptr));
    scratch_bytes_ = 0;
    allocator_->Trim();
    staging_.Trim();
  }

 private:
  PlanPtr PrepareOwn(const Op& op, const Descs& inputs, const Descs& outputs) {
    const OpenMpThreads threads(context_.threads);
    try {
      return PrepareOf(op.kind)(context_, op, inputs, outputs);
    } catch (const StillTiming&) {
      throw;
    } catch (...) {
      throw *CurrentFailure(op, inputs);
    }
  }

  // The one scratchpad, grown to hold `bytes`. Stream-ordered: runs that are enqueued may still use the one before.
  void* Scratch(size_t bytes) {
    if (bytes > scratch_bytes_) {
      if (scratch_) allocator_->Free(std::exchange(scratch_, nullptr));
      scratch_bytes_ = 0;
      scratch_ = allocator_->Allocate(bytes);
      scratch_bytes_ = bytes;
    }
    return scratch_;
  }

  // Runs on the execution thread.
  void CopyToHost(const TensorDesc& desc, void* data, Download* download) {
    try {
      const size_t bytes = PlainDesc(desc.dtype, desc.shape).bytes;
      download->bytes.reset(new uint8_t[bytes]);
      download->size = bytes;
      if (desc.plain()) {
        CopyBytes(download->bytes.get(), data, bytes);
        return;
      }
      const MemoryDesc from = MemoryDescOf(desc);
      dnnl::memory source(from, context_.engine, data), target(PlainLike(from), context_.engine, download->bytes.get());
      dnnl::reorder(source, target).execute(context_.stream, source, target);
      context_.stream.wait();
    } catch (...) {
      *download = {};
      download->error = CurrentFailure({OpKind::kCopy, NoParams{}}, {desc});
    }
  }

  CpuContext context_;
  std::shared_ptr<CachingAllocator> allocator_;
  std::unique_ptr<AlgorithmTuner> tuner_;
  StagingPool staging_;
  Profile profile_;
  PendingError pending_;
  void* scratch_ = nullptr;
  size_t scratch_bytes_ = 0;
  bool has_bfloat16_ = false;
  std::unique_ptr<ExecutionThread> thread_;
};

}  // namespace cpu

cpu::Profile* ProfileOf(Backend* backend) {
  auto* own = dynamic_cast<cpu::CpuBackend*>(backend);
  return own ? &own->profile() : nullptr;
}

std::unique_ptr<Backend> MakeCpuBackend() {
  try {
    return std::make_unique<cpu::CpuBackend>();
  } catch (const dnnl::error& error) {
    throw Error(ErrorCode::kBackendUnavailable, std::string("oneDNN does not start: ") + error.what());
  }
}

}  // namespace residua
