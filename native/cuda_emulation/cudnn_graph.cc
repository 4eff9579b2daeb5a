// Builds the graph of operations: each tensor described once, written once, no cycles.
#include "cuda_emulation/cudnn_graph.h"

#include "cuda_emulation/cudnn_engines.h"
#include "cuda_emulation/cudnn_finalize.h"

namespace residua::cuda_emulation {
namespace {

void AddTensor(const TensorInfo& tensor, OperationGraph* graph) {
  const auto [at, is_new] = graph->tensors.emplace(tensor.uid, tensor);
  if (is_new || at->second == tensor) return;
  Refuse(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES,
         "Two different tensors of the graph have the unique id " + std::to_string(tensor.uid) + ".");
}

Operation ReadOperation(const DescriptorPtr& descriptor, OperationGraph* graph) {
  Operation operation;
  operation.descriptor = descriptor;
  for (const Port& port : PortsOf(descriptor->type)) {
    if (!descriptor->Has(port.attribute)) continue;
    const TensorInfo tensor = TensorAt(*descriptor, port.attribute);
    AddTensor(tensor, graph);
    if (!port.is_output) {
      operation.inputs.push_back(tensor.uid);
      continue;
    }
    if (tensor.is_by_value) Refuse(CUDNN_STATUS_BAD_PARAM, "A tensor by value cannot be written.");
    operation.outputs.push_back(tensor.uid);
  }
  return operation;
}

std::map<int64_t, size_t> WriterOfEach(const std::vector<Operation>& operations) {
  std::map<int64_t, size_t> writers;
  for (size_t i = 0; i < operations.size(); ++i) {
    for (const int64_t uid : operations[i].outputs) {
      if (writers.emplace(uid, i).second) continue;
      Refuse(CUDNN_STATUS_BAD_PARAM, "Tensor " + std::to_string(uid) + " of the graph is written twice.");
    }
  }
  return writers;
}

// Depth first: state 0 not seen, 1 under way, 2 done.
void Visit(size_t i, const std::vector<Operation>& operations, const std::map<int64_t, size_t>& writers,
           std::vector<int>* state, std::vector<Operation>* ordered) {
  if ((*state)[i] == 2) return;
  if ((*state)[i] == 1) Refuse(CUDNN_STATUS_BAD_PARAM, "The operations of the graph depend on each other in a cycle.");
  (*state)[i] = 1;
  for (const int64_t uid : operations[i].inputs) {
    const auto writer = writers.find(uid);
    if (writer != writers.end()) Visit(writer->second, operations, writers, state, ordered);
  }
  (*state)[i] = 2;
  ordered->push_back(operations[i]);
}

void RequireWritten(const OperationGraph& graph, const std::map<int64_t, size_t>& writers) {
  for (const auto& [uid, tensor] : graph.tensors) {
    if (!tensor.is_virtual || writers.count(uid) != 0) continue;
    Refuse(CUDNN_STATUS_BAD_PARAM, "The virtual tensor " + std::to_string(uid) + " is read but never written.");
  }
}

}  // namespace

const Operation* OperationGraph::Writer(int64_t uid) const {
  for (const Operation& operation : operations) {
    for (const int64_t output : operation.outputs) {
      if (output == uid) return &operation;
    }
  }
  return nullptr;
}

int OperationGraph::Readers(int64_t uid) const {
  int readers = 0;
  for (const Operation& operation : operations) {
    for (const int64_t input : operation.inputs) readers += input == uid ? 1 : 0;
  }
  return readers;
}

void CompleteOperationGraph(Descriptor* descriptor) {
  auto graph = std::make_shared<OperationGraph>();
  std::vector<Operation> operations;
  for (const DescriptorPtr& operation : descriptor->values.at(CUDNN_ATTR_OPERATIONGRAPH_OPS).descriptors) {
    operations.push_back(ReadOperation(operation, graph.get()));
  }
  const std::map<int64_t, size_t> writers = WriterOfEach(operations);
  RequireWritten(*graph, writers);
  std::vector<int> state(operations.size(), 0);
  for (size_t i = 0; i < operations.size(); ++i) Visit(i, operations, writers, &state, &graph->operations);
  descriptor->graph = graph;
  descriptor->Put<int64_t>(CUDNN_ATTR_OPERATIONGRAPH_ENGINE_GLOBAL_COUNT, CUDNN_TYPE_INT64, {kEngineCount});
}

}  // namespace residua::cuda_emulation
