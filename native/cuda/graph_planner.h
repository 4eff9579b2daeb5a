// Chooses and builds execution plans for cuDNN graphs: heuristics first, timed choice on request, kept on disk where
// cuDNN can serialise them.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/context.h"
#include "cuda/graph.h"

namespace residua::cuda {

// A graph ready to run.
class GraphPlan {
 public:
  virtual ~GraphPlan() = default;
  virtual size_t workspace_bytes() const = 0;
  virtual std::string engine() const = 0;  // "engine 62, 0 bytes of workspace"
  // Pointers by tensor id; host pointers for HostScalar. Enqueues on the handle's stream.
  virtual void Execute(const std::vector<std::pair<Graph::TensorId, void*>>& pointers, void* workspace) = 0;
};

class GraphPlanner {
 public:
  virtual ~GraphPlanner() = default;
  // Null where cuDNN has no engine for the graph: the caller then takes another way. `why`, if not null, is told the
  // reason. Throws Error(kNative) for any other failure.
  virtual std::shared_ptr<GraphPlan> Plan(Graph& graph, std::string* why = nullptr) = 0;
  std::shared_ptr<GraphPlan> Plan(Graph&& graph, std::string* why = nullptr) { return Plan(graph, why); }
  // While `body` runs Plan makes nothing: it takes the graphs that it is asked for and answers null. Then their plans
  // are made at once (Prefetch), for Plan to find when it is asked again.
  virtual void PlanTogether(const std::function<void()>& body) = 0;
  // Makes the plans of several graphs at once, on as many threads as there are cores: Plan then finds them. Graphs
  // without an engine are left to Plan. Throws as Plan does.
  virtual void Prefetch(const std::vector<const Graph*>& graphs) = 0;
};

std::unique_ptr<GraphPlanner> MakeGraphPlanner(const CudaContext& context);

}  // namespace residua::cuda
