// Launches that were captured into a CUDA graph.
#include "cuda/recording.h"

#include <string>
#include <utility>

#include "cuda/collect_guards.h"

namespace residua::cuda {

namespace {

constexpr size_t kWordBytes = FaultLog::kWords * sizeof(int32_t);

std::shared_ptr<PreparedPlan> PreparedOf(const PlannedRun& run) {
  return std::static_pointer_cast<PreparedPlan>(run.plan);  // all plans come from Prepare
}

size_t FaultsIn(const std::vector<PlannedRun>& runs) {
  size_t count = 0;
  for (const PlannedRun& run : runs) count += PreparedOf(run)->own().can_fault ? 1 : 0;
  return count;
}

// The open faults among those of the leaves and of the launches before that `sources` names.
Dependence DependenceOn(const Sources& sources, const std::vector<FaultList>& of_leaves, const FaultList& own) {
  Dependence dependence;
  for (size_t leaf : sources.leaves) dependence.AddOpen(of_leaves[leaf]);
  for (size_t fault : sources.faults) dependence.AddOpen({own[fault]});
  return dependence;
}

}  // namespace

CudaRecording::CudaRecording(RecordingParts parts, const std::vector<PlannedRun>& runs, const std::vector<Tensor>& kept)
    : parts_(std::move(parts)), words_(parts_.allocator, (1 + FaultsIn(runs)) * kWordBytes) {
  RESIDUA_CUDA(cudaMemsetAsync(words_.data(), 0, kWordBytes, parts_.context->stream));
  Capture(runs);
  for (const Tensor& tensor : kept) kept_.push_back({tensor.storage->status(), sources_.Of({tensor})});
}

// Two words of each fault, behind those of the guard.
int32_t* CudaRecording::WordsOf(size_t fault) const {
  return reinterpret_cast<int32_t*>(words_.data()) + (1 + fault) * FaultLog::kWords;
}

void CudaRecording::Capture(const std::vector<PlannedRun>& runs) {
  StreamCapture capture(parts_.context->stream);
  for (const PlannedRun& run : runs) {
    try {
      Launch(run);
    } catch (...) {
      throw Error(*CurrentFailure(PreparedOf(run)->op(), PreparedOf(run)->inputs()));
    }
  }
  graph_ = capture.End();
}

// As the backend launches it, but that guards and fault words are the recording's own.
void CudaRecording::Launch(const PlannedRun& run) {
  const std::shared_ptr<PreparedPlan> prepared = PreparedOf(run);
  CudaPlan& plan = prepared->own();
  Sources sources = sources_.Of(run.inputs);
  const std::vector<void*> inputs = PointersOf(run.inputs), outputs = PointersOf(run.outputs);
  LaunchArgs args;
  args.inputs = inputs.data();
  args.outputs = outputs.data();
  args.scratch = parts_.scratch->data();
  if (plan.updates_in_place) {
    has_updates_ = true;
    if (1 + sources.faults.size() > LaunchArgs::kMostGuards) {
      throw Error(ErrorCode::kNative, "An update that depends on " + std::to_string(sources.faults.size()) +
                                          " ops which may meet wrong data cannot be captured.");
    }
    args.guards[args.guard_count++] = reinterpret_cast<int32_t*>(words_.data());
    for (size_t fault : sources.faults) args.guards[args.guard_count++] = WordsOf(fault);
  }
  if (plan.can_fault) {
    const size_t fault = faults_.size();
    args.fault = WordsOf(fault);
    RESIDUA_CUDA(cudaMemsetAsync(args.fault, 0, kWordBytes, parts_.context->stream));
    faults_.push_back({prepared, sources, args.fault});
    sources.faults.insert(fault);
  }
  plan.Launch(args);
  sources_.SetFor(run.outputs, sources);
  plans_.push_back(prepared);
}

bool CudaRecording::Replay() {
  parts_.health->ThrowIfBroken();
  try {
    RESIDUA_CUDA(cudaSetDevice(parts_.context->device));
    return LaunchGraph();
  } catch (const Error& error) {
    parts_.health->Note(error);
    throw;
  }
}

// False where a leaf has failed, or depends on more open faults than can be asked.
bool CudaRecording::LaunchGraph() {
  std::vector<FaultList> of_leaves;
  Dependence all;
  for (const auto& status : sources_.leaves()) {
    Dependence of_leaf;
    if (!of_leaf.Add(status.get())) return false;
    all.AddOpen(of_leaf.open);
    of_leaves.push_back(std::move(of_leaf.open));
  }
  if (all.open.size() > LaunchArgs::kMostGuards) return false;
  if (has_updates_) SetGuard(all.open);
  RESIDUA_CUDA(cudaGraphLaunch(graph_.get(), parts_.context->stream));
  TellStatuses(of_leaves);
  return true;
}

// One word for all leaves: wrong data that any of them depends on stops all updates.
void CudaRecording::SetGuard(const FaultList& open) {
  int32_t* guard = reinterpret_cast<int32_t*>(words_.data());
  if (!open.empty()) {
    LaunchArgs args;
    for (const auto& fault : open) args.guards[args.guard_count++] = fault->words();
    LaunchCollectGuards(*parts_.context, args, guard);
  } else if (guard_may_be_set_) {
    RESIDUA_CUDA(cudaMemsetAsync(guard, 0, kWordBytes, parts_.context->stream));
  }
  guard_may_be_set_ = !open.empty();
}

void CudaRecording::TellStatuses(const std::vector<FaultList>& of_leaves) {
  FaultList own;
  for (const OwnFault& fault : faults_) {
    own.push_back(parts_.faults->Adopt(fault.plan, DependenceOn(fault.sources, of_leaves, own), fault.words));
  }
  for (const Kept& kept : kept_) DependenceOn(kept.sources, of_leaves, own).SetFor(kept.status.get());
}

}  // namespace residua::cuda
