// The choice of the algorithm that computes a convolution.
#include "cpu/conv2d_algorithm.h"

#include <cstdlib>
#include <optional>

#include "cpu/algorithm_tuner.h"

namespace residua::cpu {
namespace {

// Multiplications and additions. Inference may take an image at a time, again and again: algorithms of our own gain
// there.
constexpr double kWorthTiming = 1e8, kWorthTimingInInference = 2e7;
constexpr int64_t kFewWeights = 128 * 128;  // of a tap: more do not fit a core's cache at all points of Winograd's

struct Row {
  ConvAlgorithm algorithm;
  const char* name;
};
constexpr Row kRows[] = {
    {ConvAlgorithm::kDirect, "direct"},
    {ConvAlgorithm::kWinograd, "winograd"},
    {ConvAlgorithm::kWinogradByPoints, "winogradByPoints"},
    {ConvAlgorithm::kLibraryWinograd, "libraryWinograd"},
    {ConvAlgorithm::kMatrix, "matrix"},
    {ConvAlgorithm::kTapProducts, "tapProducts"},
    {ConvAlgorithm::kOuterProducts, "outerProducts"},
    {ConvAlgorithm::kMergedGroups, "mergedGroups"},
    {ConvAlgorithm::kTransposed, "transposed"},
    {ConvAlgorithm::kRegisterTiles, "registerTiles"},
    {ConvAlgorithm::kPlaneProducts, "planeProducts"},
};

// Each position of y is that of x alone: oneDNN's kernels for it are as good as ours.
bool IsPointwise(const ConvGeometry& g) { return g.w[2] == 1 && g.w[3] == 1 && g.strides == Dims{1, 1}; }

// oneDNN's Winograd saves less where there is less to do, and that in 16 bits rounds visibly more.
bool IsWorthTiming(ConvAlgorithm algorithm, const ConvTask& task) {
  const bool by_points = algorithm == ConvAlgorithm::kWinogradByPoints;
  const bool is_winograd = algorithm == ConvAlgorithm::kWinograd || by_points;
  const bool is_float = task.inputs[0].dtype == DType::kFloat32;
  const bool few_weights = task.geometry.w[0] * task.geometry.w[1] <= kFewWeights;
  if (by_points && few_weights) return false;
  if (algorithm == ConvAlgorithm::kRegisterTiles && IsPointwise(task.geometry)) return false;
  double least = kWorthTiming;
  if (algorithm == ConvAlgorithm::kLibraryWinograd || (is_winograd && !is_float)) least = 10 * kWorthTiming;
  if (algorithm == ConvAlgorithm::kRegisterTiles && task.in_inference) least = kWorthTimingInInference;
  // Many weights for few pixels are in the cache while they are timed, and are not within a net.
  if (is_winograd && is_float && few_weights && task.in_inference) least = kWorthTimingInInference;
  return task.geometry.Flops() >= least;
}

std::optional<ConvAlgorithm> AlgorithmNamed(const std::string& name) {
  for (const Row& row : kRows) {
    if (name == row.name) return row.algorithm;
  }
  return std::nullopt;
}

std::optional<ConvAlgorithm> FixedAlgorithm() {
  const char* name = std::getenv("RESIDUA_CONV_ALGORITHM");
  if (!name || !*name) return std::nullopt;
  if (const auto algorithm = AlgorithmNamed(name)) return algorithm;
  throw Error(
      ErrorCode::kConfig,
      std::string(
          "RESIDUA_CONV_ALGORITHM: expected direct, winograd, winogradByPoints, libraryWinograd, "
          "matrix, tapProducts, outerProducts, mergedGroups, transposed, registerTiles or planeProducts, got '") +
          name + "'. Correct or unset the variable.");
}

// Null where `algorithm` cannot be used. The direct one always can: its errors are the op's.
PlanPtr MakeIfPossible(const MakeConvPlan& make, ConvAlgorithm algorithm, const Descs& inputs) {
  try {
    return make(algorithm, inputs);
  } catch (const dnnl::error& error) {
    if (algorithm == ConvAlgorithm::kDirect || error.status != dnnl_unimplemented) throw;
    return nullptr;
  }
}

// `algorithm`'s plan; the direct one where it cannot be used.
PlanPtr MakeOrDirect(const MakeConvPlan& make, ConvAlgorithm algorithm, const Descs& inputs) {
  PlanPtr plan = MakeIfPossible(make, algorithm, inputs);
  return plan ? plan : make(ConvAlgorithm::kDirect, inputs);
}

// Whether oneDNN falls back to matrix products or plain loops, which for groups can be a hundred times slower.
bool IsFallback(const CpuPlan& plan) {
  const std::string algorithm = plan.Algorithm();
  return algorithm.find("gemm") != std::string::npos || algorithm.find("ref") != std::string::npos;
}

// Whether only merged groups are convolved by a kernel for convolutions.
bool MergesInsteadOfFallback(const ConvTask& task, const MakeConvPlan& make) {
  const PlanPtr merged = MakeIfPossible(make, ConvAlgorithm::kMergedGroups, task.inputs);
  return merged && !IsFallback(*merged) && IsFallback(*make(ConvAlgorithm::kDirect, task.inputs));
}

}  // namespace

PlanPtr PlanConvolution(const CpuContext& context, const ConvTask& task, const MakeConvPlan& make) {
  if (const auto fixed = FixedAlgorithm()) return MakeOrDirect(make, *fixed, task.inputs);
  const bool merges = MergesInsteadOfFallback(task, make);
  const auto usual = [&] { return make(merges ? ConvAlgorithm::kMergedGroups : ConvAlgorithm::kDirect, task.inputs); };
  const double least = task.in_inference ? kWorthTimingInInference : kWorthTiming;
  if (!context.tuner || task.geometry.Flops() < least) return usual();
  const std::string key = task.geometry.Key(task.direction, task.inputs[0].dtype, context.threads);
  if (const auto known = AlgorithmNamed(context.tuner->Known(key))) return MakeOrDirect(make, *known, task.inputs);

  const Descs usual_inputs = task.usual_inputs();
  std::vector<AlgorithmTuner::Candidate> candidates;
  for (const Row& row : kRows) {
    const bool is_direct = row.algorithm == ConvAlgorithm::kDirect;
    if (is_direct ? merges : !IsWorthTiming(row.algorithm, task)) continue;
    if (PlanPtr plan = MakeIfPossible(make, row.algorithm, usual_inputs))
      candidates.push_back({row.name, std::move(plan)});
  }
  if (candidates.size() == 1) return usual();
  const std::string fastest = context.tuner->Fastest(context, key, usual_inputs, std::move(candidates));
  return MakeOrDirect(make, *AlgorithmNamed(fastest), task.inputs);
}

}  // namespace residua::cpu
