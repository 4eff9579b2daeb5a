// Engine configurations and execution plans: several to choose from, written as JSON and read back.
#include <set>

#include "cuda_emulation/cudnn_test_support.h"

namespace residua::cudnn_test {
namespace {

constexpr auto kJson = CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION;

struct Relu {
  Graph graph;
  Graph::Tensor x, y;
  Relu() {
    x = graph.Add(CUDNN_DATA_FLOAT, {1, 2, 1, 2});
    y = graph.Add(CUDNN_DATA_FLOAT, {1, 2, 1, 2});
    graph.PointAll(CUDNN_POINTWISE_RELU_FWD, x, nullptr, nullptr, y, {{CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, 6.0f}});
  }
};

std::string TextOf(const Descriptor& plan) {
  int64_t size = 0;
  MUST(cudnnBackendGetAttribute(plan.get(), kJson, CUDNN_TYPE_CHAR, 0, &size, nullptr));
  std::string text(static_cast<size_t>(size), '?');
  MUST(cudnnBackendGetAttribute(plan.get(), kJson, CUDNN_TYPE_CHAR, size, &size, text.data()));
  return text;
}

cudnnStatus_t Restore(const std::string& text, Descriptor* plan, bool with_handle = true) {
  MUST(plan->TrySet<char>(kJson, CUDNN_TYPE_CHAR, std::vector<char>(text.begin(), text.end())));
  if (with_handle) {
    plan->Set<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, {TestHandle()});
  }
  return plan->TryFinalize();
}

void CheckChoice() {
  Graph graph;
  const auto type = CUDNN_DATA_FLOAT;
  graph.Convolve(Graph::kForward, graph.Add(type, {2, 8, 5, 5}), graph.Add(type, {8, 8, 3, 3}),
                 graph.Add(type, {2, 8, 5, 5}), {{1, 1}});
  const Descriptor finished = graph.Finish();
  std::set<int64_t> engines, workspaces;
  bool tensor_cores = false, exact = false;
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    const std::vector<Descriptor> configurations = Configurations(finished, mode);
    Require(configurations.size() == (mode == CUDNN_HEUR_MODE_A ? 3 : 1), "3 configurations of mode A, 1 to fall back");
    for (const Descriptor& configuration : configurations) {
      const Descriptor engine = MakeEngineOf(configuration), plan = MakePlan(configuration);
      engines.insert(engine.Integer(CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
      const int64_t bytes = plan.Integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
      Require(bytes == configuration.Integer(CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE), "one size of workspace");
      workspaces.insert(bytes);
      const bool uses = !engine.Enumerators(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE).empty();
      tensor_cores = tensor_cores || uses;
      exact = exact || !uses;
    }
  }
  Require(engines.size() == 4 && workspaces.size() == 4, "four engines with a workspace of their own each");
  Require(tensor_cores && exact, "engines with tensor cores and without");
}

void CheckNotes() {
  Relu relu;
  const Descriptor finished = relu.graph.Finish();
  const Descriptor engine = MakeEngineOf(Configurations(finished, CUDNN_HEUR_MODE_A)[0]);
  const auto notes = engine.Enumerators(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE);
  Require(notes == std::vector<int>{CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}, "compiled at run time");
}

void CheckRoundTrip() {
  Relu relu;
  std::string text;
  {
    const Descriptor finished = relu.graph.Finish();
    text = TextOf(MakePlan(Configurations(finished, CUDNN_HEUR_MODE_A)[1]));
  }
  Require(text.back() == '\0' && text.rfind("{\"cudnnVersion\":92400,", 0) == 0, "the text's form: " + text);
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  MUST(Restore(text, &plan));
  Require(TextOf(plan) == text, "the same text again");
  Require(plan.Integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE) == 512, "the workspace of engine 3");
  const DeviceTensor x(CUDNN_DATA_FLOAT, {1, 2, 1, 2}, {-1, 2, 3, 7}), y(CUDNN_DATA_FLOAT, {1, 2, 1, 2});
  Execute(plan, {{relu.x.uid, x.get()}, {relu.y.uid, y.get()}});
  Require(y.Read() == std::vector<float>{0, 2, 3, 6}, "the plan runs");
}

void CheckWrongTexts() {
  Relu relu;
  const Descriptor finished = relu.graph.Finish();
  const std::string text = TextOf(MakePlan(Configurations(finished, CUDNN_HEUR_MODE_A)[0]));
  const auto refused = [](const std::string& wrong, cudnnStatus_t status) {
    Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    RequireStatus(Restore(wrong, &plan), status, "restoring " + wrong.substr(0, 60));
  };
  refused("{\"not\":1}", CUDNN_STATUS_BAD_PARAM);
  for (size_t length = 1; length + 2 < text.size(); length += 7)
    refused(text.substr(0, length), CUDNN_STATUS_BAD_PARAM);
  std::string other = text;
  other.replace(other.find("92400"), 5, "92300");
  refused(other, CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH);
  other = text;
  other.replace(other.find("\"engine\":1"), 10, "\"engine\":9");
  refused(other, CUDNN_STATUS_NOT_SUPPORTED);
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  RequireStatus(Restore(text, &plan, false), CUDNN_STATUS_BAD_PARAM, "without a handle");
}

void CheckIncompletePlans() {
  Relu relu;
  const Descriptor finished = relu.graph.Finish();
  const Descriptor configuration = std::move(Configurations(finished, CUDNN_HEUR_MODE_A)[0]);
  Descriptor without_handle(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  without_handle.Set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
  RequireStatus(without_handle.TryFinalize(), CUDNN_STATUS_BAD_PARAM, "a plan without a handle");
  Descriptor without_engine(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  without_engine.Set<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, {TestHandle()});
  RequireStatus(without_engine.TryFinalize(), CUDNN_STATUS_BAD_PARAM, "a plan without an engine");
  const int64_t size = 0;
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  RequireStatus(
      cudnnBackendSetAttribute(plan.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &size),
      CUDNN_STATUS_BAD_PARAM, "setting what is read-only");
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.Set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, finished);
  RequireStatus(heuristics.TryFinalize(), CUDNN_STATUS_BAD_PARAM, "heuristics without a mode");
}

void CheckEngineByNumber() {
  Relu relu;
  const Descriptor finished = relu.graph.Finish();
  const auto finalize = [&](int64_t index) {
    Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    engine.Set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, finished).Set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, Dims{index});
    return engine.TryFinalize();
  };
  RequireStatus(finalize(1), CUDNN_STATUS_SUCCESS, "an engine that runs the graph");
  RequireStatus(finalize(62), CUDNN_STATUS_NOT_SUPPORTED, "one that does not");
}

}  // namespace

void AddPlanChecks(std::vector<Check>* checks) {
  checks->push_back({"plans: engines to choose from", CheckChoice});
  checks->push_back({"plans: notes of behaviour", CheckNotes});
  checks->push_back({"plans: written and read back", CheckRoundTrip});
  checks->push_back({"plans: texts that are not plans", CheckWrongTexts});
  checks->push_back({"plans: what is missing", CheckIncompletePlans});
  checks->push_back({"plans: an engine by its number", CheckEngineByNumber});
}

}  // namespace residua::cudnn_test
