// READ FIRST. What a backend is: it plans ops, owns memory and runs work in order. Shapes and types were checked once,
// above it (core/shape_infer.h): a backend assumes checked input and must not check again. It must not know of
// JavaScript, autograd or modules, and nothing above it may know of layouts.
//
//   Prepare:  op record + descriptions of its inputs -> Plan (descriptions of its outputs, how to run). Cached by the
//   caller. Enqueue:  run a plan on tensors, after everything enqueued before; returns at once.
//
// One thread (the JavaScript thread of one environment) calls every method; the work itself runs elsewhere.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/op.h"
#include "core/tensor.h"

namespace residua {

struct OpInfo;  // core/op_table.h

// An op made ready for given inputs: outputs' types, shapes and layouts are settled, primitives are built. Each backend
// derives its own, which knows how to run.
// Immutable after Prepare, so that the same plan can be enqueued again before an earlier run of it is done.
class Plan {
 public:
  virtual ~Plan() = default;

  std::vector<TensorDesc> outputs;
  // Layouts in which the op would like its inputs, where reading them as they are costs a conversion on each run.
  // Empty, or one entry an input; a desc with bytes == 0 means "fine as it is". The caller converts long-lived tensors
  // (parameters) once.
  std::vector<TensorDesc> preferred_inputs;
  // Output i shares the storage of input alias[i]; -1 (or an empty vector): it has storage of its own.
  std::vector<int> alias;
  // Inputs in whose storage output 0 may come to lie where nobody needs them afterwards and they lie as the output
  // does: each element is read before it is written. Within programs; outside, results have storage of their own.
  std::vector<int> overwritable;
  size_t scratch_bytes = 0;
};

// One call of Enqueue.
struct PlannedRun {
  std::shared_ptr<Plan> plan;
  std::vector<Tensor> inputs, outputs;
};

// Runs that were recorded once, to be run together again and again on the same memory (a CUDA graph).
class Recording {
 public:
  virtual ~Recording() = default;
  // As enqueueing them one by one. False, and nothing is run, where the producer of an input failed: the caller then
  // enqueues them one by one.
  virtual bool Replay() = 0;
};

// Thrown by Prepare where it may not wait: algorithms are being timed. The same call, made again later, goes on.
struct StillTiming {};

struct MemoryStats {
  size_t tensors = 0;         // live storages
  size_t bytes = 0;           // bytes in them
  size_t peak_bytes = 0;      // the most `bytes` has been
  size_t reserved_bytes = 0;  // taken from the system: live, cached and scratch
};

// The host copy of a downloaded tensor, or why there is none.
struct Download {
  std::unique_ptr<uint8_t[]> bytes;
  size_t size = 0;
  std::shared_ptr<const Error> error;
};

class Backend {
 public:
  virtual ~Backend() = default;  // waits for the work that is under way

  virtual std::string name() const = 0;                                           // "cpu", "gpu(0)"
  virtual std::vector<std::pair<std::string, std::string>> Describe() const = 0;  // libraries, versions, threads
  virtual bool Supports(DType dtype) const = 0;

  // `outputs` come with type and logical shape; the plan settles layout and bytes.
  virtual std::shared_ptr<Plan> Prepare(const Op& op, const std::vector<TensorDesc>& inputs,
                                        std::vector<TensorDesc> outputs) = 0;

  // Called before many ops are prepared one after the other: `prepare_all` calls Prepare for each of them, for nothing
  // but to tell which they are; what it is given must not be run. A backend that can make plans in parallel does it
  // here; others need not call it.
  virtual void PlanTogether(const std::function<void()>& prepare_all) { (void)prepare_all; }

  // Throws Error(kOutOfMemory). Stream-ordered: see Storage.
  virtual std::shared_ptr<Storage> Allocate(size_t bytes) = 0;

  // Runs the plan after all earlier work. An input whose producer failed makes the outputs fail likewise, and nothing
  // is run or updated.
  virtual void Enqueue(std::shared_ptr<Plan> plan, const std::vector<Tensor>& inputs,
                       const std::vector<Tensor>& outputs) = 0;

  // What is enqueued in between is there to run only from the end on: see EnqueuedTogether.
  virtual void BeginTogether() {}
  virtual void EndTogether() {}

  // Whether the backend records runs at all.
  virtual bool CanRecord() const { return false; }

  // Records runs in the order given; nothing is run. All of them were enqueued before, on storages like these. The
  // caller keeps the storages for as long as it replays. `kept`: what is read outside of the runs. Null where they
  // cannot be recorded, and *why.
  virtual std::unique_ptr<Recording> Record(const std::vector<PlannedRun>& runs, const std::vector<Tensor>& kept,
                                            std::string* why) {
    (void)runs, (void)kept, (void)why;
    return nullptr;
  }

  // Memory that recorded runs work on. It is no tensor, and not counted as one.
  virtual std::shared_ptr<Storage> AllocateForRecording(size_t bytes) { return Allocate(bytes); }

  // The storage of a tensor in such memory, which it keeps.
  virtual std::shared_ptr<Storage> Lend(const std::shared_ptr<Storage>& memory) { return memory; }

  // Copies `bytes` from the host (read before it returns) to a plain tensor.
  virtual void Upload(const void* host, size_t bytes, const Tensor& to) = 0;

  // Copies to the host in plain form, after all earlier work; `done` is called on another thread.
  virtual void DownloadAsync(const Tensor& from, std::function<void(Download)> done) = 0;

  // Converts to another layout (same type and shape) after all earlier work.
  virtual Tensor Convert(const Tensor& from, const TensorDesc& to) = 0;

  // Waits for all earlier work.
  virtual void Synchronize() = 0;

  // The first failure nobody has been told of yet, or null. Telling clears it.
  virtual std::shared_ptr<const Error> TakePendingError() = 0;

  virtual void SetThreads(int threads) = 0;  // CPU only
  // Whether algorithms are chosen by timing them, from here on. What was chosen before is used in any case.
  virtual void SetTuning(bool on) { (void)on; }
  // Whether Prepare waits for algorithms that are being timed (as it does at first), or throws StillTiming.
  virtual void SetWaitsForTiming(bool on) { (void)on; }
  virtual MemoryStats Memory() const = 0;
  virtual void Trim() = 0;  // gives cached memory back to the system
};

// While it lives, what is enqueued is put aside where the backend's work takes the cores that the caller needs too: a
// program's thousand ops are enqueued in a millisecond, not bit by bit while the first of them run.
class EnqueuedTogether {
 public:
  explicit EnqueuedTogether(Backend* backend) : backend_(backend) { backend_->BeginTogether(); }
  ~EnqueuedTogether() { backend_->EndTogether(); }
  EnqueuedTogether(const EnqueuedTogether&) = delete;
  EnqueuedTogether& operator=(const EnqueuedTogether&) = delete;

 private:
  Backend* backend_;
};

}  // namespace residua
