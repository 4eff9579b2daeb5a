// The CUDA backend: plans ops, enqueues them on one stream, owns their memory. Copies from and to the host run beside
// it: uploader.h, downloader.h.
#include "cuda/cuda_backend.h"

#include <algorithm>
#include <string>
#include <type_traits>

#include "core/failure.h"
#include "core/op_table.h"
#include "cuda/allocator.h"
#include "cuda/cuda_plan.h"
#include "cuda/downloader.h"
#include "cuda/failure.h"
#include "cuda/faults.h"
#include "cuda/open_device.h"
#include "cuda/prepared_plan.h"
#include "cuda/recording.h"
#include "cuda/snapshot.h"
#include "cuda/unavailable.h"
#include "cuda/uploader.h"

namespace residua::cuda {

namespace {

PrepareFn PrepareOf(OpKind kind) {
  switch (kind) {
#define RESIDUA_CASE(Name) \
  case OpKind::k##Name:    \
    return Prepare##Name;
    RESIDUA_CUDA_OPS(RESIDUA_CASE)
#undef RESIDUA_CASE
    default:
      break;
  }
  throw Error(ErrorCode::kNative, std::string("The CUDA backend has no ") + InfoOf(kind).name + ".");
}

const Op kCopyOp = {OpKind::kCopy, NoParams{}};

}  // namespace

class CudaBackend : public Backend {
 public:
  explicit CudaBackend(int device)
      : device_(device),
        allocator_(std::make_shared<CachingAllocator>(device, device_.context().options.memory_limit)),
        health_(context().stream),
        faults_(context().stream, &pending_),
        uploader_(context().stream, allocator_),
        downloader_(device, &faults_, &pending_, &health_) {}

  ~CudaBackend() override {
    static_cast<void>(cudaSetDevice(context().device));
    downloader_.WaitForAll();
    static_cast<void>(cudaStreamSynchronize(context().stream));
  }

  std::string name() const override { return "gpu(" + std::to_string(context().device) + ")"; }

  std::vector<std::pair<std::string, std::string>> Describe() const override { return device_.Describe(); }

  bool Supports(DType dtype) const override {
    return dtype != DType::kBFloat16 || device_.facts().capability_major >= 8;  // since Ampere
  }

  std::shared_ptr<Plan> Prepare(const Op& op, const std::vector<TensorDesc>& inputs,
                                std::vector<TensorDesc> outputs) override {
    return Guarded(op, inputs, [&] {
      PlanPtr own = PrepareOf(op.kind)(context(), op, inputs, std::move(outputs));
      return std::make_shared<PreparedPlan>(op, inputs, std::move(own));
    });
  }

  void PlanTogether(const std::function<void()>& prepare_all) override {
    Enter();
    context().planner->PlanTogether(prepare_all);
  }

  std::shared_ptr<Storage> Allocate(size_t bytes) override {
    return Allocating([&] { return allocator_->AllocateStorage(bytes); });
  }

  std::shared_ptr<Storage> AllocateForRecording(size_t bytes) override {
    return Allocating([&] { return allocator_->AllocateUncounted(bytes); });
  }

  std::shared_ptr<Storage> Lend(const std::shared_ptr<Storage>& memory) override { return allocator_->Lend(memory); }

  void Enqueue(std::shared_ptr<Plan> plan, const std::vector<Tensor>& inputs,
               const std::vector<Tensor>& outputs) override {
    const auto prepared = std::static_pointer_cast<PreparedPlan>(plan);  // all plans come from Prepare
    Guarded(prepared->op(), prepared->inputs(), [&] { Launch(prepared, inputs, outputs); });
  }

  bool CanRecord() const override { return context().options.cuda_graphs; }

  std::unique_ptr<Recording> Record(const std::vector<PlannedRun>& runs, const std::vector<Tensor>& kept,
                                    std::string* why) override {
    try {
      Enter();
      size_t scratch_bytes = 1;
      for (const PlannedRun& run : runs) scratch_bytes = std::max(scratch_bytes, run.plan->scratch_bytes);
      const RecordingParts parts = {&context(), allocator_, &faults_, &health_, Scratch(scratch_bytes)};
      return std::make_unique<CudaRecording>(parts, runs, kept);
    } catch (const Error& error) {
      health_.Note(error);
      *why = error.what();
      return nullptr;
    }
  }

  void Upload(const void* host, size_t bytes, const Tensor& to) override {
    Guarded(kCopyOp, {to.desc}, [&] {
      uploader_.Upload(host, bytes, to.storage->data());
      *to.storage->status() = {};
    });
  }

  void DownloadAsync(const Tensor& from, std::function<void(Download)> done) override {
    DownloadJob job;
    try {
      Guarded(kCopyOp, {from.desc}, [&] { TakeSnapshot(context(), allocator_, from, &job); });
    } catch (const Error& error) {
      job.error = std::make_shared<Error>(error);
    }
    job.done = std::move(done);
    downloader_.Enqueue(std::move(job));
  }

  Tensor Convert(const Tensor& from, const TensorDesc& to) override {
    const Tensor converted{to, Allocate(to.bytes)};
    Guarded(kCopyOp, {from.desc}, [&] {
      LaunchConvertLayout(context(), from.desc, from.storage->data(), to, converted.storage->data());
      Dependence::Of({from}).SetFor({converted});
    });
    return converted;
  }

  void Synchronize() override {
    Enter();
    try {
      downloader_.WaitForAll();
      faults_.ResolveAll();
    } catch (const Error& error) {
      health_.Note(error);
      throw;
    }
  }

  std::shared_ptr<const Error> TakePendingError() override {
    if (health_.IsBroken()) return pending_.Take();
    try {
      RESIDUA_CUDA(cudaSetDevice(context().device));
      faults_.Poll();
    } catch (const Error& error) {
      health_.Note(error);
      return std::make_shared<Error>(error);
    }
    return pending_.Take();
  }

  void SetThreads(int) override {}
  MemoryStats Memory() const override { return allocator_->Stats(); }

  void Trim() override {
    Synchronize();
    scratch_ = nullptr;
    scratch_bytes_ = 0;
    uploader_.Trim();
    allocator_->Trim();
  }

 private:
  const CudaContext& context() const { return device_.context(); }

  // CUDA calls of this thread go to this device; nothing goes to one that is lost.
  void Enter() const {
    health_.ThrowIfBroken();
    RESIDUA_CUDA(cudaSetDevice(context().device));
  }

  template <class Take>
  std::shared_ptr<Storage> Allocating(const Take& take) {
    Enter();
    try {
      return take();
    } catch (const Error& error) {
      health_.Note(error);
      throw;
    }
  }

  // Runs `work`; whatever it throws becomes an Error that names the op.
  template <class Work>
  std::invoke_result_t<const Work&> Guarded(const Op& op, const Descs& inputs, const Work& work) {
    health_.ThrowIfBroken();
    try {
      Enter();
      return work();
    } catch (...) {
      const auto failure = CurrentFailure(op, inputs);
      health_.Note(*failure);
      throw Error(*failure);
    }
  }

  void Launch(const std::shared_ptr<PreparedPlan>& prepared, const std::vector<Tensor>& inputs,
              const std::vector<Tensor>& outputs) {
    CudaPlan& plan = prepared->own();
    Dependence dependence = Dependence::Of(inputs);
    if (plan.updates_in_place && dependence.open.size() > LaunchArgs::kMostGuards) {
      faults_.ResolveAll();
      dependence = Dependence::Of(inputs);
    }
    if (dependence.error) return dependence.SetFor(outputs);

    const std::vector<void*> input_pointers = PointersOf(inputs), output_pointers = PointersOf(outputs);
    LaunchArgs args;
    args.inputs = input_pointers.data();
    args.outputs = output_pointers.data();
    if (prepared->scratch_bytes > 0) args.scratch = Scratch(prepared->scratch_bytes)->data();
    if (plan.updates_in_place) {
      for (const auto& fault : dependence.open) args.guards[args.guard_count++] = fault->words();
    }
    if (plan.can_fault) {
      LaunchWithFault(prepared, args, &dependence);
    } else {
      plan.Launch(args);
    }
    dependence.SetFor(outputs);
  }

  // Adds the launch's own fault to what its outputs depend on.
  void LaunchWithFault(const std::shared_ptr<PreparedPlan>& prepared, LaunchArgs args, Dependence* dependence) {
    const std::shared_ptr<Fault> fault = faults_.Open(prepared, *dependence);
    args.fault = fault->words();
    try {
      prepared->own().Launch(args);
      faults_.Close(fault);
    } catch (...) {
      faults_.Drop(fault);
      throw;
    }
    dependence->open.push_back(fault);
  }

  // The one scratch memory, grown to hold `bytes`. Stream-ordered: runs that are enqueued may still use the one before,
  // which recordings made with it keep.
  const std::shared_ptr<DeviceMemory>& Scratch(size_t bytes) {
    if (bytes > scratch_bytes_) {
      scratch_ = nullptr;
      scratch_bytes_ = 0;
      scratch_ = std::make_shared<DeviceMemory>(allocator_, bytes);
      scratch_bytes_ = bytes;
    }
    return scratch_;
  }

  OpenDevice device_;
  std::shared_ptr<CachingAllocator> allocator_;
  PendingError pending_;
  DeviceHealth health_;
  FaultLog faults_;
  Uploader uploader_;
  Downloader downloader_;
  std::shared_ptr<DeviceMemory> scratch_;
  size_t scratch_bytes_ = 0;
};

std::unique_ptr<Backend> MakeCudaBackend(int device) {
  try {
    return std::make_unique<CudaBackend>(device);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kBackendUnavailable || error.code() == ErrorCode::kConfig) throw;
    throw Unavailable("memory for the backend itself", error.what(), "nvidia-smi shows what uses the GPU's memory.");
  }
}

}  // namespace residua::cuda
