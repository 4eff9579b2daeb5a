// Asks cuDNN's heuristics how a graph can be run and builds execution plans from the answers.
#include "cuda/engine_plan.h"

#include <algorithm>
#include <utility>

#include "cuda/check.h"

namespace residua::cuda {
namespace {

// Described devices came with cuDNN 9.8; headers before have no names for these.
constexpr auto kHeuristicsDevice = static_cast<cudnnBackendAttributeName_t>(204);  // CUDNN_ATTR_ENGINEHEUR_DEVICEPROP
constexpr auto kPlanDevice = static_cast<cudnnBackendAttributeName_t>(407);  // CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP

void SetDevice(Descriptor* plan, const PlanTarget& target) {
  if (target.handle != nullptr) {
    plan->SetArray(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, &target.handle, 1);
  } else {
    plan->Set(kPlanDevice, *target.device);
  }
}

int64_t GetInt64(const Descriptor& descriptor, cudnnBackendAttributeName_t name) {
  int64_t value = 0, count = 0;
  RESIDUA_CUDA(cudnnBackendGetAttribute(descriptor.get(), name, CUDNN_TYPE_INT64, 1, &count, &value));
  return value;
}

template <class Note>
std::vector<Note> GetNotes(const Descriptor& engine, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                           int64_t most) {
  std::vector<Note> notes(static_cast<size_t>(most));
  int64_t count = 0;
  RESIDUA_CUDA(cudnnBackendGetAttribute(engine.get(), name, type, most, &count, notes.data()));
  notes.resize(static_cast<size_t>(std::min(count, most)));
  return notes;
}

template <class Note>
bool Has(const std::vector<Note>& notes, Note note) {
  return std::find(notes.begin(), notes.end(), note) != notes.end();
}

// The engine configurations that a mode of the heuristics proposes, best first. None where it does not know the graph.
std::vector<Descriptor> Propose(const Descriptor& graph, cudnnBackendHeurMode_t mode, const PlanTarget& target,
                                std::string* why) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.Set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.SetArray(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, &mode, 1);
  if (target.handle == nullptr) heuristics.Set(kHeuristicsDevice, *target.device);

  int64_t count = 0;
  cudnnStatus_t status = heuristics.TryFinalize();
  if (status == CUDNN_STATUS_SUCCESS) {
    status = cudnnBackendGetAttribute(heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0,
                                      &count, nullptr);
  }
  if (IsNotSupported(status)) {
    *why = StatusText(status);
    return {};
  }
  Check(status, "cudnnBackendFinalize(heuristics)", __FILE__, __LINE__);

  std::vector<Descriptor> configs;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < count; ++i) {
    configs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    raw.push_back(configs.back().get());
  }
  if (count == 0) return configs;
  RESIDUA_CUDA(cudnnBackendGetAttribute(heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                        count, &count, raw.data()));
  while (static_cast<int64_t>(configs.size()) > count) configs.pop_back();
  return configs;
}

// Engines that read float32 as a shorter type: as float16 never, as TF32 where that is allowed.
bool IsExactEnough(const Descriptor& engine, bool allow_tf32) {
  const auto notes = GetNotes<cudnnBackendNumericalNote_t>(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                                           CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  if (Has(notes, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)) return false;
  return allow_tf32 || !Has(notes, CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
}

std::string EngineText(const Descriptor& engine) {
  std::string text = "engine " + std::to_string(GetInt64(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
  const auto notes = GetNotes<cudnnBackendBehaviorNote_t>(engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE,
                                                          CUDNN_TYPE_BEHAVIOR_NOTE, CUDNN_BEHAVIOR_NOTE_TYPE_COUNT);
  if (Has(notes, CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION)) text += ", compiled at run time";
  return text;
}

// Failures of one engine which leave the others worth trying: it does not do this graph, or could not compile it.
bool IsOfThisEngine(cudnnStatus_t status) {
  return IsNotSupported(status) || status == CUDNN_STATUS_INTERNAL_ERROR ||
         status == CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED ||
         status == CUDNN_STATUS_INTERNAL_ERROR_UNEXPECTED_VALUE;
}

// Tries configurations one after the other and collects the plans that can be built.
class Collector {
 public:
  Collector(const Graph& graph, const PlanTarget& target, const PlanLimits& limits, size_t most)
      : limits_(limits), target_(target), most_(most), convolves_float32_(graph.convolves_float32()) {}

  bool full() const { return plans_.size() >= most_; }

  void Try(const Descriptor& config) {
    Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendDescriptor_t raw = engine.get();
    int64_t count = 0;
    RESIDUA_CUDA(cudnnBackendGetAttribute(config.get(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                          &count, &raw));
    if (convolves_float32_ && !IsExactEnough(engine, limits_.allow_tf32)) {
      why_ = "cuDNN has engines for it, but none that computes float32 exactly enough";
      return;
    }
    EnginePlan built{Descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR), "", 0};
    built.plan.Set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    SetDevice(&built.plan, target_);
    const cudnnStatus_t status = built.plan.TryFinalize();
    if (IsOfThisEngine(status)) {
      why_ = StatusText(status);
      if (!IsNotSupported(status)) failure_ = status;
      return;
    }
    Check(status, "cudnnBackendFinalize(execution plan)", __FILE__, __LINE__);
    built.workspace_bytes = static_cast<size_t>(GetInt64(built.plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
    if (built.workspace_bytes > limits_.workspace_bytes) {
      why_ = "the engine needs " + std::to_string(built.workspace_bytes) + " bytes of workspace, more than the " +
             std::to_string(limits_.workspace_bytes) + " allowed";
      return;
    }
    built.engine = EngineText(engine);
    plans_.push_back(std::move(built));
  }

  // The plans. None: *why says the reason, unless an engine failed in a way that is no refusal.
  std::vector<EnginePlan> Take(std::string* why) {
    if (plans_.empty() && failure_ != CUDNN_STATUS_SUCCESS) {
      Check(failure_, "cudnnBackendFinalize(execution plan), with every engine", __FILE__, __LINE__);
    }
    if (plans_.empty() && !why_.empty()) *why = why_;
    return std::move(plans_);
  }

 private:
  const PlanLimits& limits_;
  const PlanTarget& target_;
  size_t most_;
  bool convolves_float32_;
  std::vector<EnginePlan> plans_;
  std::string why_;
  cudnnStatus_t failure_ = CUDNN_STATUS_SUCCESS;
};

}  // namespace

std::vector<EnginePlan> BuildEnginePlans(const Graph& graph, const PlanTarget& target, const PlanLimits& limits,
                                         size_t most, std::string* why) {
  *why = graph.refusal();
  if (!why->empty()) return {};
  Descriptor operations = graph.Operations(target.handle);
  const cudnnStatus_t status = operations.TryFinalize();
  if (IsNotSupported(status)) {
    *why = StatusText(status);
    return {};
  }
  Check(status, "cudnnBackendFinalize(operation graph)", __FILE__, __LINE__);
  *why = "cuDNN's heuristics know no engine for it";
  Collector collector(graph, target, limits, most);
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    if (collector.full()) break;
    for (const Descriptor& config : Propose(operations, mode, target, why)) {
      if (collector.full()) break;
      collector.Try(config);
    }
  }
  return collector.Take(why);
}

std::string SerializePlan(const EnginePlan& plan) {
  int64_t size = 0;
  cudnnStatus_t status = cudnnBackendGetAttribute(plan.plan.get(), CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                                  CUDNN_TYPE_CHAR, 0, &size, nullptr);
  if (IsNotSupported(status)) return "";
  Check(status, "cudnnBackendGetAttribute(plan, JSON)", __FILE__, __LINE__);
  std::string json(static_cast<size_t>(size), '\0');
  status = cudnnBackendGetAttribute(plan.plan.get(), CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                                    size, &size, json.data());
  if (IsNotSupported(status)) return "";
  Check(status, "cudnnBackendGetAttribute(plan, JSON)", __FILE__, __LINE__);
  json.resize(json.find_last_not_of('\0') + 1);
  return json;
}

std::vector<EnginePlan> DeserializePlan(const std::string& json, const std::string& engine, const PlanTarget& target) {
  std::vector<EnginePlan> plans;
  EnginePlan read{Descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR), engine, 0};
  SetDevice(&read.plan, target);
  const cudnnStatus_t set =
      cudnnBackendSetAttribute(read.plan.get(), CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                               static_cast<int64_t>(json.size()) + 1, json.c_str());
  if (set != CUDNN_STATUS_SUCCESS || read.plan.TryFinalize() != CUDNN_STATUS_SUCCESS) return plans;
  read.workspace_bytes = static_cast<size_t>(GetInt64(read.plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
  plans.push_back(std::move(read));
  return plans;
}

}  // namespace residua::cuda
