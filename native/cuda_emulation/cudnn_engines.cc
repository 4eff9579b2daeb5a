// Heuristics, engines and engine configurations.
#include "cuda_emulation/cudnn_engines.h"

#include "cuda_emulation/cudnn_finalize.h"

namespace residua::cuda_emulation {
namespace {

int64_t RoundUp(int64_t bytes) { return (bytes + 255) / 256 * 256; }

int64_t LargestTensorBytes(const OperationGraph& graph) {
  int64_t most = 0;
  for (const auto& [uid, tensor] : graph.tensors) most = std::max(most, tensor.bytes());
  return most;
}

DescriptorPtr MakeEngine(const DescriptorPtr& graph, const Engine& engine) {
  auto descriptor = std::make_shared<Descriptor>(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  descriptor->PutReferences(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, {graph});
  descriptor->Put<int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, {engine.index});
  Finalize(descriptor.get());
  return descriptor;
}

DescriptorPtr MakeConfiguration(const DescriptorPtr& engine) {
  auto descriptor = std::make_shared<Descriptor>(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  descriptor->PutReferences(CUDNN_ATTR_ENGINECFG_ENGINE, {engine});
  Finalize(descriptor.get());
  return descriptor;
}

}  // namespace

std::vector<Engine> EnginesFor(const OperationGraph& graph) {
  // index, workspace, tensor cores, compiled at run time, fallback
  switch (Classify(graph).pattern) {
    case Pattern::kConvolution:
      return {{22, RoundUp(LargestTensorBytes(graph) / 4), true, false, false},
              {45, 14416, true, false, false},
              {28, 0, false, false, false},
              {1, RoundUp(LargestTensorBytes(graph)), false, false, true}};
    case Pattern::kConvolutionFusion:
      return {{10, 10032, true, false, false}, {7, 0, true, true, false}, {11, 1616, false, false, true}};
    case Pattern::kNormForward:
      return {{0, 1084, false, true, false}, {2, 312, false, true, false}, {4, 7500, false, true, true}};
    case Pattern::kNormBackward:
      return {{0, 7200, false, true, false}, {2, 1056, false, true, false}, {4, 16816, false, true, true}};
    case Pattern::kPointwise:
      return {{1, 0, false, true, false}, {3, 512, false, true, false}, {0, 0, false, false, true}};
    case Pattern::kResample:
      return {{3, 0, false, true, false}, {2, 256, false, true, false}, {1, 0, false, false, true}};
    case Pattern::kResampleIndexed:
      return {{2, 0, false, true, false}, {3, 256, false, true, false}, {1, 512, false, true, true}};
    case Pattern::kResampleNchw:
      return {{1, 0, false, false, true}};
    case Pattern::kNone:
      break;
  }
  return {};
}

// No results where no engine fits, as cuDNN has it: an error only where it knows of no such graph at all.
void CompleteHeuristics(Descriptor* heuristics) {
  const DescriptorPtr graph = heuristics->Reference(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
  const auto mode = heuristics->Get<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE);
  for (const Operation& operation : graph->graph->operations) {
    const bool inference = operation.type() == CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR &&
                           operation.descriptor->Get<cudnnBackendNormFwdPhase_t>(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE) ==
                               CUDNN_NORM_FWD_INFERENCE;
    if (inference) Refuse(CUDNN_STATUS_NOT_SUPPORTED, Classify(*graph->graph).why_not);
  }
  std::vector<DescriptorPtr> results;
  for (const Engine& engine : EnginesFor(*graph->graph)) {
    if (engine.fallback == (mode == CUDNN_HEUR_MODE_FALLBACK)) {
      results.push_back(MakeConfiguration(MakeEngine(graph, engine)));
    }
  }
  heuristics->PutReferences(CUDNN_ATTR_ENGINEHEUR_RESULTS, std::move(results));
}

void CompleteEngine(Descriptor* descriptor) {
  const OperationGraph& graph = *descriptor->Reference(CUDNN_ATTR_ENGINE_OPERATION_GRAPH)->graph;
  const int64_t index = descriptor->Get<int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
  for (const Engine& engine : EnginesFor(graph)) {
    if (engine.index != index) continue;
    std::vector<cudnnBackendNumericalNote_t> numerical;
    std::vector<cudnnBackendBehaviorNote_t> behavior;
    if (engine.tensor_core) numerical.push_back(CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
    if (engine.compiled) behavior.push_back(CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION);
    descriptor->Put(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, numerical);
    descriptor->Put(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE, behavior);
    descriptor->engine = std::make_shared<Engine>(engine);
    return;
  }
  const Support support = Classify(graph);
  if (support.pattern == Pattern::kNone) Refuse(support.status, support.why_not);
  Refuse(CUDNN_STATUS_NOT_SUPPORTED, "Engine " + std::to_string(index) + " does not run this graph.");
}

void CompleteEngineConfiguration(Descriptor* config) {
  const int64_t bytes = config->Reference(CUDNN_ATTR_ENGINECFG_ENGINE)->engine->workspace_bytes;
  config->Put<int64_t>(CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE, CUDNN_TYPE_INT64, {bytes});
}

}  // namespace residua::cuda_emulation
