// The planner: plans in use, plans on disk, plans made anew (engine_plan.h), several at once on request.
#include "cuda/graph_planner.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "core/cores.h"
#include "cuda/check.h"
#include "cuda/engine_plan.h"
#include "cuda/owned.h"
#include "cuda/plan_store.h"
#include "cuda/plan_timing.h"

namespace residua::cuda {
namespace {

constexpr size_t kMostWorkspace = size_t{1} << 30;
constexpr size_t kTimedCandidates = 4;
constexpr int kMostThreads = 8;
constexpr size_t kForgetAt = 1024;

class CudnnGraphPlan : public GraphPlan {
 public:
  CudnnGraphPlan(cudnnHandle_t handle, EnginePlan plan) : handle_(handle), plan_(std::move(plan)) {}

  size_t workspace_bytes() const override { return plan_.workspace_bytes; }

  std::string engine() const override {
    return plan_.engine + ", " + std::to_string(plan_.workspace_bytes) + " bytes of workspace";
  }

  void Execute(const std::vector<std::pair<Graph::TensorId, void*>>& pointers, void* workspace) override {
    std::vector<int64_t> uids;
    std::vector<void*> data;
    for (const auto& [tensor, pointer] : pointers) {
      uids.push_back(tensor.uid);
      data.push_back(pointer);
    }
    ExecutePlan(handle_, plan_, uids, data, workspace);
  }

 private:
  cudnnHandle_t handle_;
  EnginePlan plan_;
};

// A handle of a thread's own: cuDNN's may not be used by two threads at once.
class ThreadHandle {
 public:
  explicit ThreadHandle(int device) {
    RESIDUA_CUDA(cudaSetDevice(device));
    RESIDUA_CUDA(cudnnCreate(handle_.address()));
  }
  cudnnHandle_t get() const { return handle_.get(); }

 private:
  Owned<cudnnHandle_t, cudnnDestroy> handle_;
};

// A gigabyte, or a quarter of the memory where that is less. Not of the free memory: the same graph gets the same plan
// whatever else is going on.
size_t WorkspaceLimit(const CudaContext& context) {
  size_t free = 0, total = 0;
  RESIDUA_CUDA(cudaMemGetInfo(&free, &total));
  if (context.options.memory_limit != 0) total = std::min(total, context.options.memory_limit);
  return std::min(kMostWorkspace, total / 4);
}

// What beside the graph decides which plan is right, as the first line of its key on disk.
std::string DeviceKey(const CudaContext& context) {
  cudaDeviceProp properties;
  RESIDUA_CUDA(cudaGetDeviceProperties(&properties, context.device));
  int driver = 0;
  RESIDUA_CUDA(cudaDriverGetVersion(&driver));
  return std::string(properties.name) + ", driver for CUDA " + std::to_string(driver) + ", cuDNN " +
         std::to_string(cudnnGetVersion()) + (context.options.allow_tf32 ? ", TF32" : "") +
         (context.options.cudnn_benchmark ? ", timed" : "") + "\n";
}

// Runs `work` on this thread and on up to `count` - 1 others, as many as the system gives.
void RunOnThreads(size_t count, const std::function<void()>& work) {
  std::vector<std::thread> threads;
  try {
    for (size_t i = 1; i < count; ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {
    // This thread does what others do not.
  }
  work();
  for (std::thread& thread : threads) thread.join();
}

class CudnnGraphPlanner : public GraphPlanner {
 public:
  explicit CudnnGraphPlanner(const CudaContext& context)
      : context_(context),
        limits_{WorkspaceLimit(context), context.options.allow_tf32},
        device_key_(DeviceKey(context)),
        store_(context.options.plan_folder) {}

  std::shared_ptr<GraphPlan> Plan(Graph& graph, std::string* why) override {
    if (collected_ != nullptr) {
      collected_->push_back(std::move(graph));
      return nullptr;
    }
    if (std::shared_ptr<GraphPlan> plan = Find(graph)) return plan;
    std::string reason;
    return Choose(graph, Build(graph, context_.cudnn, &reason), reason, why);
  }

  void PlanTogether(const std::function<void()>& body) override {
    std::vector<Graph> graphs;
    collected_ = &graphs;
    try {
      body();
    } catch (...) {
      collected_ = nullptr;
      throw;
    }
    collected_ = nullptr;
    std::vector<const Graph*> pointers;
    for (const Graph& graph : graphs) pointers.push_back(&graph);
    Prefetch(pointers);
  }

  void Prefetch(const std::vector<const Graph*>& graphs) override {
    std::vector<const Graph*> missing;
    std::unordered_set<std::string> seen;
    for (const Graph* graph : graphs) {
      if (seen.insert(graph->key()).second && !IsReady(graph->key())) missing.push_back(graph);
    }
    std::vector<Candidates> built = BuildAll(missing);
    for (size_t i = 0; i < missing.size(); ++i) {
      if (std::shared_ptr<GraphPlan> plan = Choose(*missing[i], std::move(built[i]), "", nullptr)) {
        prefetched_[missing[i]->key()] = std::move(plan);
      }
    }
  }

 private:
  struct Candidates {
    std::vector<EnginePlan> plans;
    bool is_from_disk = false;
  };

  bool IsReady(const std::string& key) const {
    const auto used = in_use_.find(key);
    return prefetched_.count(key) != 0 || (used != in_use_.end() && !used->second.expired());
  }

  // The plan of an equal graph, where one is in use or was prefetched.
  std::shared_ptr<GraphPlan> Find(const Graph& graph) {
    const auto ready = prefetched_.find(graph.key());
    if (ready != prefetched_.end()) {
      std::shared_ptr<GraphPlan> plan = std::move(ready->second);
      prefetched_.erase(ready);
      Remember(graph.key(), plan);
      return plan;
    }
    const auto used = in_use_.find(graph.key());
    return used == in_use_.end() ? nullptr : used->second.lock();
  }

  // On any thread.
  Candidates Build(const Graph& graph, cudnnHandle_t handle, std::string* why) const {
    const PlanTarget target{handle, nullptr};
    PlanStore::Entry entry;
    if (store_.Load(device_key_ + graph.key(), &entry)) {
      std::vector<EnginePlan> read = DeserializePlan(entry.json, entry.engine, target);
      if (!read.empty() && read[0].workspace_bytes <= limits_.workspace_bytes) return {std::move(read), true};
    }
    const size_t most = context_.options.cudnn_benchmark ? kTimedCandidates : 1;
    return {BuildEnginePlans(graph, target, limits_, most, why), false};
  }

  std::vector<Candidates> BuildAll(const std::vector<const Graph*>& graphs) const {
    std::vector<Candidates> built(graphs.size());
    std::vector<std::exception_ptr> failures(graphs.size());
    std::atomic<size_t> next{0};
    const auto work = [&] {
      size_t i = next++;
      if (i >= graphs.size()) return;
      try {
        const ThreadHandle handle(context_.device);
        std::string why;
        for (; i < graphs.size(); i = next++) built[i] = Build(*graphs[i], handle.get(), &why);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    };
    RunOnThreads(std::min(static_cast<size_t>(std::min(AvailableCores(), kMostThreads)), graphs.size()), work);
    for (const std::exception_ptr& failure : failures) {
      if (failure != nullptr) std::rethrow_exception(failure);
    }
    return built;
  }

  // The best candidate, kept for others and for later runs; null where there is none.
  std::shared_ptr<GraphPlan> Choose(const Graph& graph, Candidates candidates, const std::string& reason,
                                    std::string* why) {
    if (candidates.plans.empty()) {
      if (why != nullptr) *why = reason;
      return nullptr;
    }
    EnginePlan& best = candidates.plans.front();
    if (!candidates.is_from_disk) {
      FastestFirst(context_, graph, &candidates.plans);
      const std::string json = store_.keeps() ? SerializePlan(best) : "";
      if (!json.empty()) store_.Save(device_key_ + graph.key(), {best.engine, json});
    }
    auto plan = std::make_shared<CudnnGraphPlan>(context_.cudnn, std::move(best));
    Remember(graph.key(), plan);
    return plan;
  }

  void Remember(const std::string& key, const std::shared_ptr<GraphPlan>& plan) {
    in_use_[key] = plan;
    if (in_use_.size() < forget_at_) return;
    for (auto entry = in_use_.begin(); entry != in_use_.end();) {
      entry = entry->second.expired() ? in_use_.erase(entry) : std::next(entry);
    }
    forget_at_ = std::max(kForgetAt, 2 * in_use_.size());
  }

  const CudaContext& context_;
  const PlanLimits limits_;
  const std::string device_key_;
  PlanStore store_;
  std::unordered_map<std::string, std::weak_ptr<GraphPlan>> in_use_;
  size_t forget_at_ = kForgetAt;  // size of in_use_ at which those no longer in use are dropped
  std::unordered_map<std::string, std::shared_ptr<GraphPlan>> prefetched_;
  std::vector<Graph>* collected_ = nullptr;  // during PlanTogether
};

}  // namespace

std::unique_ptr<GraphPlanner> MakeGraphPlanner(const CudaContext& context) {
  return std::make_unique<CudnnGraphPlanner>(context);
}

}  // namespace residua::cuda
