// Times candidate plans of a graph on the device: the mode "cudnn benchmark".
#include "cuda/plan_timing.h"

#include <algorithm>
#include <utility>

#include "cuda/check.h"
#include "cuda/owned.h"

namespace residua::cuda {
namespace {

constexpr int kTimedRuns = 3;

size_t Align(size_t bytes) { return (bytes + 255) / 256 * 256; }

// A point in the stream whose time is taken.
class TimedEvent {
 public:
  TimedEvent() { RESIDUA_CUDA(cudaEventCreate(event_.address())); }
  cudaEvent_t get() const { return event_.get(); }

 private:
  Owned<cudaEvent_t, cudaEventDestroy> event_;
};

// Memory for every tensor of a graph and a workspace.
class Buffers {
 public:
  Buffers(const Graph& graph, size_t workspace_bytes, cudaStream_t stream) {
    size_t total = Align(workspace_bytes);
    for (const Graph::TensorInfo& tensor : graph.tensors()) {
      if (!tensor.is_virtual && !tensor.is_by_value) total += Align(tensor.bytes);
    }
    const cudaError_t status = cudaMalloc(memory_.address(), total);
    if (status == cudaErrorMemoryAllocation) {
      static_cast<void>(cudaGetLastError());  // it would be taken for a failure of the next launch
      return;
    }
    RESIDUA_CUDA(status);
    RESIDUA_CUDA(cudaMemsetAsync(memory_.get(), 0, total, stream));
    Divide(graph, workspace_bytes);
  }

  bool empty() const { return !memory_; }
  const std::vector<int64_t>& uids() const { return uids_; }
  const std::vector<void*>& pointers() const { return pointers_; }
  void* workspace() const { return memory_.get(); }

 private:
  void Divide(const Graph& graph, size_t workspace_bytes) {
    char* next = static_cast<char*>(memory_.get()) + Align(workspace_bytes);
    for (size_t i = 0; i < graph.tensors().size(); ++i) {
      const Graph::TensorInfo& tensor = graph.tensors()[i];
      if (tensor.is_virtual) continue;
      uids_.push_back(static_cast<int64_t>(i));
      pointers_.push_back(tensor.is_by_value ? static_cast<void*>(&host_scalar_) : next);
      if (!tensor.is_by_value) next += Align(tensor.bytes);
    }
  }

  Owned<void*, cudaFree> memory_;
  float host_scalar_ = 1;
  std::vector<int64_t> uids_;
  std::vector<void*> pointers_;
};

// Milliseconds of one run, after one that is not counted.
float TimeOf(const CudaContext& context, const EnginePlan& plan, const Buffers& buffers) {
  const TimedEvent start, end;
  const auto run = [&] { ExecutePlan(context.cudnn, plan, buffers.uids(), buffers.pointers(), buffers.workspace()); };
  run();
  RESIDUA_CUDA(cudaEventRecord(start.get(), context.stream));
  for (int i = 0; i < kTimedRuns; ++i) run();
  RESIDUA_CUDA(cudaEventRecord(end.get(), context.stream));
  RESIDUA_CUDA(cudaEventSynchronize(end.get()));
  float milliseconds = 0;
  RESIDUA_CUDA(cudaEventElapsedTime(&milliseconds, start.get(), end.get()));
  return milliseconds / kTimedRuns;
}

}  // namespace

void FastestFirst(const CudaContext& context, const Graph& graph, std::vector<EnginePlan>* plans) {
  if (plans->size() < 2) return;
  size_t workspace_bytes = 0;
  for (const EnginePlan& plan : *plans) workspace_bytes = std::max(workspace_bytes, plan.workspace_bytes);
  const Buffers buffers(graph, workspace_bytes, context.stream);
  if (buffers.empty()) {
    plans->front().engine += ", not timed for want of memory";
    return;
  }
  std::vector<std::pair<float, size_t>> times;
  for (size_t i = 0; i < plans->size(); ++i) times.emplace_back(TimeOf(context, (*plans)[i], buffers), i);
  const auto fastest = std::min_element(times.begin(), times.end());
  std::swap(plans->front(), (*plans)[fastest->second]);
  plans->front().engine += ", the fastest of " + std::to_string(plans->size());
}

void ExecutePlan(cudnnHandle_t handle, const EnginePlan& plan, const std::vector<int64_t>& uids,
                 const std::vector<void*>& pointers, void* workspace) {
  const int64_t count = static_cast<int64_t>(uids.size());
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.SetArray(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, uids.data(), count);
  pack.SetArray(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers.data(), count);
  pack.SetArray(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, &workspace, 1);
  pack.Finalize();
  RESIDUA_CUDA(cudnnBackendExecute(handle, plan.plan.get(), pack.get()));
}

}  // namespace residua::cuda
