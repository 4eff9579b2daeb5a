// Softmax cross-entropy from integer labels: a loss for each sample, and the gradient of the logits. Computed in float,
// summed in double. With label smoothing e over c classes the target is (1 - e) for the label, plus e / c for every
// class (Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision", section 7).
#include <cmath>

#include "cuda/cuda_plan.h"
#include "cuda/element.h"
#include "cuda/grid.h"

namespace residua::cuda {
namespace {

struct Sizes {
  int64_t samples, classes;
};

__device__ inline bool IsClass(int32_t label, const Sizes& sizes) { return label >= 0 && label < sizes.classes; }

// The first block looks for the first label that is not a class, and tells of it: 1 + the sample, and the label.
__device__ inline void CheckLabels(const int32_t* labels, const Sizes& sizes, int32_t* fault) {
  if (blockIdx.x != 0) return;
  RESIDUA_SHARED int64_t firsts[kThreads];
  int64_t first = sizes.samples;
  for (int64_t i = threadIdx.x; i < sizes.samples && first == sizes.samples; i += kThreads) {
    if (!IsClass(labels[i], sizes)) first = i;
  }
  firsts[threadIdx.x] = first;
  for (int width = kThreads / 2; width > 0; width /= 2) {
    __syncthreads();
    const int at = static_cast<int>(threadIdx.x);
    if (at < width && firsts[at + width] < firsts[at]) firsts[at] = firsts[at + width];
  }
  if (threadIdx.x == 0 && firsts[0] < sizes.samples) {
    fault[1] = labels[firsts[0]];
    fault[0] = static_cast<int32_t>(1 + firsts[0]);
  }
}

// log p = x - shift - log_sum for each logit x of a row.
struct LogNormalizer {
  float shift, log_sum;
};

// A warp's work, on one row.
template <class T>
__device__ inline LogNormalizer Normalize(const T* logits, int64_t classes) {
  float shift = -INFINITY;
  for (int64_t k = Lane(); k < classes; k += kLanes) shift = fmaxf(shift, Load(logits[k]));
  shift = WarpMax(shift);
  double sum = 0;
  for (int64_t k = Lane(); k < classes; k += kLanes) sum += expf(Load(logits[k]) - shift);
  return {shift, static_cast<float>(log(WarpSum(sum)))};
}

// (1 - smoothing) * -log p[label] + smoothing * mean of -log p
template <class T>
__device__ inline float SampleLoss(const T* logits, int32_t label, int64_t classes, float smoothing) {
  const LogNormalizer normal = Normalize(logits, classes);
  const float label_loss = normal.log_sum - (Load(logits[label]) - normal.shift);
  if (smoothing == 0) return label_loss;
  double total = 0;
  for (int64_t k = Lane(); k < classes; k += kLanes) total += normal.log_sum - (Load(logits[k]) - normal.shift);
  total = WarpSum(total);
  return (1 - smoothing) * label_loss + smoothing * static_cast<float>(total / static_cast<double>(classes));
}

// logits [samples, classes], labels [samples] -> losses [samples]; NaN where the label is not a class.
template <class T>
__global__ void CrossEntropyKernel(Sizes sizes, float smoothing, const T* logits, const int32_t* labels, float* losses,
                                   int32_t* fault) {
  CheckLabels(labels, sizes, fault);
  for (int64_t i = GridWarp(); i < sizes.samples; i += GridWarps()) {
    float loss = NAN;
    if (IsClass(labels[i], sizes)) loss = SampleLoss(logits + i * sizes.classes, labels[i], sizes.classes, smoothing);
    if (Lane() == 0) losses[i] = loss;
  }
}

// logits, labels, dlosses [samples] -> dlogits = (p - target) * dloss
template <class T>
__global__ void CrossEntropyBackwardKernel(Sizes sizes, float smoothing, const T* logits, const int32_t* labels,
                                           const float* dlosses, T* dlogits, int32_t* fault) {
  CheckLabels(labels, sizes, fault);
  const float everywhere = smoothing / static_cast<float>(sizes.classes);
  for (int64_t i = GridWarp(); i < sizes.samples; i += GridWarps()) {
    const T* row = logits + i * sizes.classes;
    const LogNormalizer normal = Normalize(row, sizes.classes);
    for (int64_t k = Lane(); k < sizes.classes; k += kLanes) {
      const float p = expf(Load(row[k]) - normal.shift - normal.log_sum);
      const float target = (k == labels[i] ? 1 - smoothing : 0.0f) + everywhere;
      dlogits[i * sizes.classes + k] = Store<T>((p - target) * dlosses[i]);
    }
  }
}

// What the two ops share: sizes, and the error for a label that is not a class.
class CrossEntropyPlanBase : public ConvertingPlan {
 public:
  CrossEntropyPlanBase(const char* op, const CudaContext& context, const Descs& inputs, Descs plan_outputs,
                       float smoothing)
      : ConvertingPlan(context, inputs, AllPlain(inputs), std::move(plan_outputs)),
        op_(op),
        sizes_{inputs[0].shape[0], inputs[0].shape[1]},
        type_(inputs[0].dtype),
        smoothing_(smoothing) {
    can_fault = true;
  }

  Error FaultError(int32_t code, int32_t label) const override {
    const std::string sample = std::to_string(code - 1), expected = "0 to " + std::to_string(sizes_.classes - 1);
    const std::string found = std::to_string(label), classes = std::to_string(sizes_.classes);
    return Error(ErrorCode::kData,
                 op_ + " expected labels from " + expected + " (" + classes + " classes), got " + found +
                     " for sample " + sample + ".",
                 {{"op", op_}, {"argument", "labels"}, {"sample", sample}, {"expected", expected}, {"found", found}});
  }

 protected:
  const std::string op_;
  const Sizes sizes_;
  const DType type_;
  const float smoothing_;
};

class CrossEntropyPlan : public CrossEntropyPlanBase {
 public:
  using CrossEntropyPlanBase::CrossEntropyPlanBase;

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    DispatchFloat(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      RESIDUA_LAUNCH_COOPERATIVE(CrossEntropyKernel<T>, BlocksFor(sizes_.samples * kLanes), kThreads, 0,
                                 context().stream, sizes_, smoothing_, static_cast<const T*>(args.inputs[0]),
                                 static_cast<const int32_t*>(args.inputs[1]), static_cast<float*>(args.outputs[0]),
                                 args.fault);
    });
  }
};

class CrossEntropyBackwardPlan : public CrossEntropyPlanBase {
 public:
  using CrossEntropyPlanBase::CrossEntropyPlanBase;

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    DispatchFloat(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      RESIDUA_LAUNCH_COOPERATIVE(CrossEntropyBackwardKernel<T>, BlocksFor(sizes_.samples * kLanes), kThreads, 0,
                                 context().stream, sizes_, smoothing_, static_cast<const T*>(args.inputs[0]),
                                 static_cast<const int32_t*>(args.inputs[1]), static_cast<const float*>(args.inputs[2]),
                                 static_cast<T*>(args.outputs[0]), args.fault);
    });
  }
};

}  // namespace

PlanPtr PrepareSoftmaxCrossEntropy(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const float smoothing = std::get<CrossEntropyParams>(op.params).label_smoothing;
  return std::make_shared<CrossEntropyPlan>("softmaxCrossEntropy", context, inputs, std::move(outputs), smoothing);
}

PlanPtr PrepareSoftmaxCrossEntropyBackward(const CudaContext& context, const Op& op, const Descs& inputs,
                                           Descs outputs) {
  const float smoothing = std::get<CrossEntropyParams>(op.params).label_smoothing;
  return std::make_shared<CrossEntropyBackwardPlan>("softmaxCrossEntropyBackward", context, inputs, std::move(outputs),
                                                    smoothing);
}

}  // namespace residua::cuda
