// Softmax cross-entropy from integer labels: a loss for each sample, and the gradient of the logits. Computed in float.
// With label smoothing e over c classes the target is (1 - e) for the label, plus e / c for every class
// (Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision", section 7).
#include <cmath>
#include <limits>

#include "cpu/cpu_plan.h"
#include "cpu/element.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrain = 2048;  // logits a thread gets at least

// Throws DataError for the first label that is not a class.
void CheckLabels(const char* op, const int32_t* labels, int64_t samples, int64_t classes) {
  for (int64_t i = 0; i < samples; ++i) {
    if (labels[i] >= 0 && labels[i] < classes) continue;
    const std::string expected = "0 to " + std::to_string(classes - 1), found = std::to_string(labels[i]);
    throw Error(
        ErrorCode::kData,
        std::string(op) + " expected labels from " + expected + " (" + std::to_string(classes) + " classes), got " +
            found + " for sample " + std::to_string(i) + ".",
        {{"op", op}, {"argument", "labels"}, {"sample", std::to_string(i)}, {"expected", expected}, {"found", found}});
  }
}

// log p = x - shift - log_sum for each logit x of a row.
struct LogNormalizer {
  float shift, log_sum;
};

template <class T>
LogNormalizer Normalize(const T* logits, int64_t classes) {
  float shift = -std::numeric_limits<float>::infinity();
  for (int64_t k = 0; k < classes; ++k) shift = std::max(shift, Load(logits[k]));
  double sum = 0;
  for (int64_t k = 0; k < classes; ++k) sum += std::exp(Load(logits[k]) - shift);
  return {shift, static_cast<float>(std::log(sum))};
}

// (1 - smoothing) * -log p[label] + smoothing * mean of -log p
template <class T>
float SampleLoss(const T* logits, int32_t label, int64_t classes, float smoothing) {
  const LogNormalizer normal = Normalize(logits, classes);
  const float label_loss = normal.log_sum - (Load(logits[label]) - normal.shift);
  if (smoothing == 0) return label_loss;
  double total = 0;
  for (int64_t k = 0; k < classes; ++k) total += normal.log_sum - (Load(logits[k]) - normal.shift);
  return (1 - smoothing) * label_loss + smoothing * static_cast<float>(total / static_cast<double>(classes));
}

// dlogits = (p - target) * dloss
template <class T>
void SampleGradient(const T* logits, int32_t label, int64_t classes, float smoothing, float dloss, T* dlogits) {
  const LogNormalizer normal = Normalize(logits, classes);
  const float everywhere = smoothing / static_cast<float>(classes);
  for (int64_t k = 0; k < classes; ++k) {
    const float p = std::exp(Load(logits[k]) - normal.shift - normal.log_sum);
    const float target = (k == label ? 1 - smoothing : 0) + everywhere;
    dlogits[k] = Store<T>((p - target) * dloss);
  }
}

class CrossEntropyPlan : public PlainPlan {
 public:
  CrossEntropyPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, float smoothing)
      : PlainPlan(context, inputs, std::move(plan_outputs)),
        samples_(inputs[0].shape[0]),
        classes_(inputs[0].shape[1]),
        type_(inputs[0].dtype),
        smoothing_(smoothing) {}

 protected:
  void RunPlain(const void* const* inputs, void* const* out, void*) override {
    const int32_t* labels = static_cast<const int32_t*>(inputs[1]);  // [samples]
    CheckLabels("softmaxCrossEntropy", labels, samples_, classes_);
    DispatchFloat(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      const T* logits = static_cast<const T*>(inputs[0]);  // [samples, classes]
      float* losses = static_cast<float*>(out[0]);         // [samples]
      ParallelFor(samples_, kGrain / classes_, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          losses[i] = SampleLoss(logits + i * classes_, labels[i], classes_, smoothing_);
        }
      });
    });
  }

 private:
  int64_t samples_, classes_;
  DType type_;
  float smoothing_;
};

class CrossEntropyBackwardPlan : public PlainPlan {
 public:
  CrossEntropyBackwardPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, float smoothing)
      : PlainPlan(context, inputs, std::move(plan_outputs)),
        samples_(inputs[0].shape[0]),
        classes_(inputs[0].shape[1]),
        type_(inputs[0].dtype),
        smoothing_(smoothing) {}

 protected:
  void RunPlain(const void* const* inputs, void* const* out, void*) override {
    const int32_t* labels = static_cast<const int32_t*>(inputs[1]);  // [samples]
    const float* dlosses = static_cast<const float*>(inputs[2]);     // [samples]
    CheckLabels("softmaxCrossEntropyBackward", labels, samples_, classes_);
    DispatchFloat(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      const T* logits = static_cast<const T*>(inputs[0]);  // [samples, classes]
      T* dlogits = static_cast<T*>(out[0]);                // [samples, classes]
      ParallelFor(samples_, kGrain / classes_, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t row = i * classes_;
          SampleGradient(logits + row, labels[i], classes_, smoothing_, dlosses[i], dlogits + row);
        }
      });
    });
  }

 private:
  int64_t samples_, classes_;
  DType type_;
  float smoothing_;
};

}  // namespace

PlanPtr PrepareSoftmaxCrossEntropy(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  outputs[0] = PlainDesc(outputs[0].dtype, outputs[0].shape);
  const float smoothing = std::get<CrossEntropyParams>(op.params).label_smoothing;
  return std::make_shared<CrossEntropyPlan>(context, inputs, std::move(outputs), smoothing);
}

PlanPtr PrepareSoftmaxCrossEntropyBackward(const CpuContext& context, const Op& op, const Descs& inputs,
                                           Descs outputs) {
  outputs[0] = PlainDesc(outputs[0].dtype, outputs[0].shape);
  const float smoothing = std::get<CrossEntropyParams>(op.params).label_smoothing;
  return std::make_shared<CrossEntropyBackwardPlan>(context, inputs, std::move(outputs), smoothing);
}

}  // namespace residua::cpu
