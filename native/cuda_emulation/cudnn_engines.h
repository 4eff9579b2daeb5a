// Engines: which there are for a graph, in which order the heuristics name them, what each needs.
#pragma once
#include <vector>

#include "cuda_emulation/cudnn_graph.h"

namespace residua::cuda_emulation {

constexpr int64_t kEngineCount = 81;

// An engine for one graph. All compute the same; they differ in what they ask for and say of themselves, as real ones.
struct Engine {
  int64_t index = 0;
  int64_t workspace_bytes = 0;
  bool tensor_core = false;  // float inputs may be rounded to TF32
  bool compiled = false;     // at run time
  bool fallback = false;     // named by CUDNN_HEUR_MODE_FALLBACK
};

// Best first. Empty for graphs that are not supported.
std::vector<Engine> EnginesFor(const OperationGraph& graph);

}  // namespace residua::cuda_emulation
