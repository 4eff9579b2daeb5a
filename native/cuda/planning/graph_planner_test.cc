// Tests of the planner that no op reaches: several plans at once, limits, failures. Runs on the emulation. Writes "ok
// <check>" or "not ok <check>" for each; run by test/cuda/graph-planner.test.ts.
#include <cstdio>
#include <functional>
#include <string>

#include "cuda/batch_norm_graph.h"
#include "cuda/check.h"
#include "cuda/conv2d_graph.h"
#include "cuda/graph_planner.h"
#include "cuda/owned.h"
#include "cuda_emulation/injection.h"

namespace residua::cuda {
namespace {

bool all_passed = true;

void Expect(bool condition, const std::string& what) {
  std::printf("%s %s\n", condition ? "ok" : "not ok", what.c_str());
  all_passed = all_passed && condition;
}

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A context with handles of its own, and a planner for it.
class Device {
 public:
  explicit Device(CudaOptions options = {}) : stream_(MakeStream()) {
    RESIDUA_CUDA(cudnnCreate(cudnn_.address()));
    RESIDUA_CUDA(cudnnSetStream(cudnn_.get(), stream_.get()));
    context_.stream = stream_.get();
    context_.cudnn = cudnn_.get();
    context_.options = std::move(options);
    planner_ = MakeGraphPlanner(context_);
  }
  GraphPlanner& planner() { return *planner_; }

 private:
  Stream stream_;
  Owned<cudnnHandle_t, cudnnDestroy> cudnn_;
  CudaContext context_;
  std::unique_ptr<GraphPlanner> planner_;
};

Conv2dGraph Convolution3x3(int64_t size) {
  ConvolutionSpec spec;
  spec.x = spec.y = {2, 8, size, size};
  spec.w = {8, 8, 3, 3};
  spec.params.pad_h = spec.params.pad_w = 1;
  return MakeConv2d(spec, DType::kFloat32);
}

// cuDNN's engines take channels that are multiples of 4.
BatchNormBackwardGraph Refused() { return MakeBatchNormBackward(DType::kFloat32, {2, 3, 4, 4}, BatchNormTail::kRelu); }

// Error code of what `body` throws, or `otherwise`.
ErrorCode CodeOf(const std::function<void()>& body, ErrorCode otherwise) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  return otherwise;
}

void TestPrefetch() {
  Device device;
  Conv2dGraph a = Convolution3x3(5), b = Convolution3x3(6), a_again = Convolution3x3(5);
  BatchNormBackwardGraph norm = MakeBatchNormBackward(DType::kFloat32, {2, 8, 4, 4}, BatchNormTail::kAddRelu);
  BatchNormBackwardGraph refused = Refused();
  device.planner().Prefetch({&a.graph, &norm.graph, &b.graph, &refused.graph, &a_again.graph});

  residua_emulation_fail("nothing", 1, 0);  // counts from here
  const auto plan_a = device.planner().Plan(a.graph), plan_b = device.planner().Plan(b.graph);
  const auto plan_norm = device.planner().Plan(norm.graph);
  Expect(plan_a != nullptr && plan_b != nullptr && plan_norm != nullptr, "prefetched graphs have plans");
  Expect(device.planner().Plan(a_again.graph) == plan_a, "equal graphs share a plan");
  Expect(residua_emulation_calls("*") == 0, "prefetched plans are there without a call of cuDNN");
  Expect(Contains(plan_a->engine(), "engine 22, ") && Contains(plan_a->engine(), " bytes of workspace"),
         "a plan names its engine: " + plan_a->engine());

  std::string why;
  Expect(device.planner().Plan(refused.graph, &why) == nullptr && !why.empty(), "a refused graph has a reason");
  device.planner().Prefetch({&a.graph, &b.graph});
  device.planner().Prefetch({});
  residua_emulation_fail(nullptr, 0, 0);
}

// As a program is planned: every op asks for its graphs once for nothing, then in earnest.
void TestPlanTogether() {
  Device device;
  bool answered_null = true;
  device.planner().PlanTogether([&] {
    answered_null = device.planner().Plan(Convolution3x3(5).graph) == nullptr &&
                    device.planner().Plan(Convolution3x3(6).graph) == nullptr;
  });
  Expect(answered_null, "nothing is planned while graphs are collected");
  Conv2dGraph a = Convolution3x3(5), b = Convolution3x3(6);
  residua_emulation_fail("nothing", 1, 0);
  const auto plan_a = device.planner().Plan(a.graph), plan_b = device.planner().Plan(b.graph);
  Expect(plan_a != nullptr && plan_b != nullptr, "collected graphs have plans");
  Expect(residua_emulation_calls("*") == 0, "collected plans are there without a call of cuDNN");
  residua_emulation_fail(nullptr, 0, 0);

  const ErrorCode code =
      CodeOf([&] { device.planner().PlanTogether([] { throw Error(ErrorCode::kData, "no"); }); }, ErrorCode::kShape);
  Expect(code == ErrorCode::kData, "what fails while graphs are collected is passed on");
  Expect(device.planner().Plan(Convolution3x3(7).graph) != nullptr, "then plans are made again");
}

void TestPrefetchFails() {
  Device device;
  Conv2dGraph a = Convolution3x3(5), b = Convolution3x3(6);
  for (const char* function : {"cudnnCreate", "cudnnBackendCreateDescriptor"}) {
    residua_emulation_fail(function, 1, 0);
    const ErrorCode code = CodeOf([&] { device.planner().Prefetch({&a.graph, &b.graph}); }, ErrorCode::kShape);
    Expect(code == ErrorCode::kNative || code == ErrorCode::kOutOfMemory,
           std::string("Prefetch throws what a thread met: ") + function);
  }
  residua_emulation_fail(nullptr, 0, 0);
  device.planner().Prefetch({&a.graph, &b.graph});
  Expect(device.planner().Plan(a.graph) != nullptr, "Prefetch works after it failed");
}

void TestWorkspaceLimit() {
  CudaOptions options;
  options.memory_limit = 4096;  // a quarter of it for a workspace
  Device device(options);
  const auto convolution = device.planner().Plan(Convolution3x3(9).graph);
  Expect(convolution != nullptr && convolution->workspace_bytes() <= 1024, "an engine within the limit is found");
  std::string why;
  auto norm = MakeBatchNormBackward(DType::kFloat32, {2, 8, 4, 4}, BatchNormTail::kRelu);
  Expect(device.planner().Plan(norm.graph, &why) == nullptr && Contains(why, "more than the 1024 allowed"),
         "engines above the limit are refused: " + why);
}

// A refusal or a failed compilation leaves the next engine to be tried. What else fails is an error, as is any failure
// before there are engines.
void TestFailingEngines() {
  constexpr int kFinalizeCalls = 12;
  for (const int status : {3000, 4001, 5000}) {
    int other_engine = 0, errors = 0, plans_afterwards = 0;
    for (int call = 1; call <= kFinalizeCalls; ++call) {
      Device device;
      Conv2dGraph made = Convolution3x3(20 + call);
      std::shared_ptr<GraphPlan> plan;
      residua_emulation_fail("cudnnBackendFinalize", call, status);
      const ErrorCode code = CodeOf([&] { plan = device.planner().Plan(made.graph); }, ErrorCode::kShape);
      residua_emulation_fail(nullptr, 0, 0);
      if (code == ErrorCode::kNative) ++errors;
      if (plan != nullptr && !Contains(plan->engine(), "engine 22,")) ++other_engine;
      plans_afterwards += device.planner().Plan(made.graph) != nullptr;
    }
    const std::string name = ", status " + std::to_string(status);
    Expect((other_engine > 0) == (status != 5000), "whether another engine is taken" + name);
    Expect((errors > 0) == (status != 3000), "whether failures before there are engines are errors" + name);
    Expect(plans_afterwards == kFinalizeCalls, "the graphs have plans afterwards" + name);
  }
}

void TestTiming() {
  CudaOptions options;
  options.cudnn_benchmark = true;
  Device device(options);
  const auto timed = device.planner().Plan(Convolution3x3(5).graph);
  Expect(timed != nullptr && Contains(timed->engine(), "the fastest of "), "candidates are timed: " + timed->engine());
  Conv2dGraph made = Convolution3x3(6);
  residua_emulation_fail("cudaMalloc", 1, 0);
  const auto untimed = device.planner().Plan(made.graph);
  residua_emulation_fail(nullptr, 0, 0);
  Expect(untimed != nullptr && Contains(untimed->engine(), "not timed for want of memory"),
         "without memory they are not: " + untimed->engine());
}

void TestManyGraphs() {
  Device device;
  Conv2dGraph kept = Convolution3x3(3);
  const auto plan = device.planner().Plan(kept.graph);
  for (int64_t size = 4; size < 1400; ++size) device.planner().Plan(Convolution3x3(size).graph);
  Expect(device.planner().Plan(kept.graph) == plan, "a plan in use is not forgotten");
}

int Main() {
  TestPrefetch();
  TestPlanTogether();
  TestPrefetchFails();
  TestWorkspaceLimit();
  TestFailingEngines();
  TestTiming();
  TestManyGraphs();
  return all_passed ? 0 : 1;
}

}  // namespace
}  // namespace residua::cuda

int main() { return residua::cuda::Main(); }
