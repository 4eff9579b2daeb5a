// Plans the graphs of a list of ops with cuDNN for a device that is only described: no GPU is needed.
//
//   plan_graphs <device.json> <tf32|exact> <threads> < ops.txt
//
// Writes a line of JSON for each op (graph_list.h has their form) as it is done: the engine, its workspace and the time
// it took to plan; or why every graph that the op knows was refused; or what failed. The exit status is 0 unless the
// program itself could not do its work.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cuda/check.h"
#include "cuda/engine_plan.h"
#include "cuda/planning/graph_list.h"

namespace residua::cuda {
namespace {

constexpr size_t kMostWorkspace = size_t{1} << 30;  // as GraphPlanner's

PlanTarget DescribedDevice(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(ErrorCode::kConfig, "A description of a device was expected in " + path + ".");
  const std::string json(std::istreambuf_iterator<char>(file), {});
  auto device = std::make_shared<Descriptor>(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  device->SetArray(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, json.c_str(),
                   static_cast<int64_t>(json.size()) + 1);
  device->Finalize();
  return {nullptr, device};
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted + "\"";
}

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string Field(const char* name, const std::string& value) { return std::string(",\"") + name + "\":" + value; }

std::string Describe(const EnginePlan& plan, const Alternative& alternative, const PlanTarget& target) {
  const std::string json = SerializePlan(plan);
  const bool kept = !json.empty() && !DeserializePlan(json, plan.engine, target).empty();
  return Field("alternative", Quoted(alternative.name)) + Field("engine", Quoted(plan.engine)) +
         Field("workspace", std::to_string(plan.workspace_bytes)) + Field("bytesOnDisk", std::to_string(json.size())) +
         Field("readsBack", kept ? "true" : "false");
}

// The line of JSON for an op.
std::string PlanOp(const std::string& op, const PlanTarget& target, const PlanLimits& limits) {
  const auto start = std::chrono::steady_clock::now();
  std::string refused, found;
  try {
    for (const Alternative& alternative : ParseGraphs(op)) {
      std::string why;
      const std::vector<EnginePlan> plans = BuildEnginePlans(alternative.graph, target, limits, 1, &why);
      if (!plans.empty()) {
        const double seconds = SecondsSince(start);
        found = Describe(plans[0], alternative, target) + Field("seconds", std::to_string(seconds));
        break;
      }
      refused += (refused.empty() ? "" : ",") + Quoted(alternative.name + ": " + why);
    }
  } catch (const std::exception& error) {
    return "{\"op\":" + Quoted(op) + Field("failed", Quoted(error.what())) + "}";
  }
  return "{\"op\":" + Quoted(op) + found + Field("refused", "[" + refused + "]") + "}";
}

void PlanAll(const std::vector<std::string>& ops, const PlanTarget& target, const PlanLimits& limits,
             int thread_count) {
  std::atomic<size_t> next{0};
  std::mutex output;
  const auto work = [&] {
    for (size_t i = next++; i < ops.size(); i = next++) {
      const std::string line = PlanOp(ops[i], target, limits);
      const std::lock_guard<std::mutex> lock(output);
      std::printf("%s\n", line.c_str());
      std::fflush(stdout);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < thread_count; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
}

int Main(int argc, char** argv) {
  const std::string precision = argc == 4 ? argv[2] : "";
  const int threads = argc == 4 ? std::atoi(argv[3]) : 0;
  if ((precision != "tf32" && precision != "exact") || threads < 1) {
    std::fprintf(stderr, "usage: plan_graphs <device.json> <tf32|exact> <threads> < ops.txt\n");
    return 2;
  }
  std::vector<std::string> ops;
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.empty()) ops.push_back(line);
  }
  const PlanTarget target = DescribedDevice(argv[1]);
  std::printf("{\"cudnn\":%zu}\n", cudnnGetVersion());
  PlanAll(ops, target, {kMostWorkspace, precision == "tf32"}, threads);
  return 0;
}

}  // namespace
}  // namespace residua::cuda

int main(int argc, char** argv) {
  try {
    return residua::cuda::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "plan_graphs: %s\n", error.what());
    return 1;
  }
}
