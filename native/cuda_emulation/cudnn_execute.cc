// cudnnBackendExecute: checks the variant pack against the plan, then enqueues the graph on the handle's stream.
#include <algorithm>

#include "cuda_emulation/cudnn_handle.h"
#include "cuda_emulation/cudnn_interpreter.h"
#include "cuda_emulation/errors.h"
#include "cuda_emulation/memory.h"
#include "cuda_emulation/streams.h"

namespace residua::cuda_emulation {
namespace {

// All that a run needs; owned by the work in the stream, which may be run again (a captured graph).
struct Execution {
  DescriptorPtr graph_descriptor;
  std::shared_ptr<const Engine> engine;
  std::map<int64_t, void*> pointers;    // device memory by uid
  std::map<int64_t, Values> constants;  // tensors by value
  void* workspace = nullptr;

  const OperationGraph& graph() const { return *graph_descriptor->graph; }
};

std::string Name(int64_t uid) { return "tensor " + std::to_string(uid); }

template <class T>
std::vector<T> All(const Descriptor& descriptor, cudnnBackendAttributeName_t name) {
  const AttributeValue& value = descriptor.values.at(name);
  std::vector<T> elements(static_cast<size_t>(value.count));
  std::memcpy(elements.data(), value.bytes.data(), elements.size() * sizeof(T));
  return elements;
}

void RequireAligned(const TensorInfo& tensor, const void* pointer) {
  if (reinterpret_cast<uintptr_t>(pointer) % static_cast<uintptr_t>(tensor.alignment) == 0) return;
  Refuse(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER, "The pointer of " + Name(tensor.uid) + " is not a multiple of " +
                                                        std::to_string(tensor.alignment) + " bytes.");
}

// A host pointer that cuDNN reads now; a device pointer that it reads when the stream comes to it.
void AddPointer(const TensorInfo& tensor, void* pointer, Execution* execution) {
  if (pointer == nullptr)
    Refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "The pointer of " + Name(tensor.uid) + " is null.");
  if (tensor.is_by_value) {
    if (KindOf(pointer) == MemoryKind::kDevice) {
      Refuse(CUDNN_STATUS_BAD_PARAM, Name(tensor.uid) + " is by value: its pointer must be to host memory.");
    }
    execution->constants.emplace(tensor.uid, Load(tensor, pointer));
    return;
  }
  RequireAligned(tensor, pointer);
  if (!IsReachable(pointer, static_cast<size_t>(tensor.bytes()))) {
    Refuse(CUDNN_STATUS_BAD_PARAM, "The " + std::to_string(tensor.bytes()) + " bytes of " + Name(tensor.uid) +
                                       " do not lie within an allocation of the device.");
  }
  execution->pointers.emplace(tensor.uid, pointer);
}

void ReadPointers(const Descriptor& pack, Execution* execution) {
  const auto uids = All<int64_t>(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto pointers = All<void*>(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  const OperationGraph& graph = execution->graph();
  for (size_t i = 0; i < uids.size(); ++i) {
    const auto tensor = graph.tensors.find(uids[i]);
    if (tensor == graph.tensors.end() || tensor->second.is_virtual) {
      Refuse(CUDNN_STATUS_BAD_PARAM,
             "The variant pack has " + Name(uids[i]) + ", which the graph does not have in memory.");
    }
    AddPointer(tensor->second, pointers[i], execution);
  }
  for (const auto& [uid, tensor] : graph.tensors) {
    if (!tensor.is_virtual && execution->pointers.count(uid) == 0 && execution->constants.count(uid) == 0) {
      Refuse(CUDNN_STATUS_BAD_PARAM, "The variant pack lacks " + Name(uid) + ".");
    }
  }
}

// Results must not lie on each other.
void RequireSeparateResults(const Execution& execution) {
  std::vector<std::pair<char*, char*>> ranges;
  for (const Operation& operation : execution.graph().operations) {
    for (const int64_t uid : operation.outputs) {
      const TensorInfo& tensor = execution.graph().at(uid);
      if (tensor.is_virtual) continue;
      char* start = static_cast<char*>(execution.pointers.at(uid));
      ranges.emplace_back(start, start + tensor.bytes());
    }
  }
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i - 1].second) Refuse(CUDNN_STATUS_BAD_PARAM, "Two results share memory.");
  }
}

void ReadWorkspace(const Descriptor& pack, Execution* execution) {
  const int64_t bytes = execution->engine->workspace_bytes;
  if (bytes == 0) return;
  execution->workspace = pack.Get<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
  const std::string need = "The plan needs a workspace of " + std::to_string(bytes) + " bytes";
  if (execution->workspace == nullptr) Refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, need + ", got null.");
  if (!IsReachable(execution->workspace, static_cast<size_t>(bytes))) {
    Refuse(CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT, need + " within one allocation of the device.");
  }
}

// On the stream's turn. Memory may have been freed since.
void Run(const Execution& execution) {
  const size_t workspace_bytes = static_cast<size_t>(execution.engine->workspace_bytes);
  bool reachable = workspace_bytes == 0 || IsReachable(execution.workspace, workspace_bytes);
  for (const auto& [uid, pointer] : execution.pointers) {
    reachable = reachable && IsReachable(pointer, static_cast<size_t>(execution.graph().at(uid).bytes()));
  }
  if (!reachable) return LoseDevice(cudaErrorIllegalAddress, "a cuDNN plan ran on memory that was freed");
  // Whoever keeps anything in a workspace loses it.
  if (workspace_bytes != 0) std::memset(execution.workspace, 0xff, workspace_bytes);
  Interpreter(execution.graph(), *execution.engine, execution.pointers, execution.constants).Run();
}

}  // namespace
}  // namespace residua::cuda_emulation

using namespace residua::cuda_emulation;

extern "C" cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t execution_plan,
                                             cudnnBackendDescriptor_t variant_pack) {
  return CudnnCall(__func__, CUDNN_STATUS_EXECUTION_FAILED, [&] {
    const cudnnContext& context = LiveHandle(handle);
    const DescriptorPtr plan = FinalizedDescriptor(execution_plan, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    const DescriptorPtr pack = FinalizedDescriptor(variant_pack, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    if (DeviceError() != cudaSuccess) Refuse(CUDNN_STATUS_EXECUTION_FAILED_CUDART, "The device is lost.");

    const DescriptorPtr engine =
        plan->Reference(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)->Reference(CUDNN_ATTR_ENGINECFG_ENGINE);
    auto execution = std::make_shared<Execution>();
    execution->graph_descriptor = engine->Reference(CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
    execution->engine = engine->engine;
    ReadPointers(*pack, execution.get());
    RequireSeparateResults(*execution);
    ReadWorkspace(*pack, execution.get());
    if (Enqueue(context.stream, [execution] { Run(*execution); }) != cudaSuccess) {
      Refuse(CUDNN_STATUS_EXECUTION_FAILED_CUDART, "The stream takes no work.");
    }
  });
}
