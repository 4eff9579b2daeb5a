// Asks cuDNN's heuristics how a graph can be run and builds execution plans from the answers.
#pragma once
#include <cudnn.h>

#include <memory>
#include <string>
#include <vector>

#include "cuda/graph.h"

namespace residua::cuda {

// What plans are made for: the device of a handle, or one that is only described.
struct PlanTarget {
  cudnnHandle_t handle = nullptr;
  std::shared_ptr<const Descriptor> device;  // CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, where there is no handle
};

struct PlanLimits {
  size_t workspace_bytes = 0;
  bool allow_tf32 = true;
};

// A finalised CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR and what is known of it.
struct EnginePlan {
  Descriptor plan;
  std::string engine;  // "engine 62", "engine 3, compiled at run time"
  size_t workspace_bytes = 0;
};

// Up to `most` plans, in the order of the heuristics, the likely fastest first. Empty where cuDNN has none within the
// limits; `why` then says the reason. Throws Error(kNative) for any other failure.
std::vector<EnginePlan> BuildEnginePlans(const Graph& graph, const PlanTarget& target, const PlanLimits& limits,
                                         size_t most, std::string* why);

// The plan as text, empty where its engine cannot be written down; and back, an empty list where cuDNN refuses it.
std::string SerializePlan(const EnginePlan& plan);
std::vector<EnginePlan> DeserializePlan(const std::string& json, const std::string& engine, const PlanTarget& target);

}  // namespace residua::cuda
