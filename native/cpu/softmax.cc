// Softmax and LogSoftmax along an axis, and their backward passes. Computed in float, whatever the element type.
#include <cmath>
#include <limits>

#include "cpu/axis_view.h"
#include "cpu/cpu_plan.h"
#include "cpu/element.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrain = 2048;  // elements a thread gets at least; an exponential each

// What follows works on one line: `size` elements, `stride` apart.

template <class T>
float Largest(const T* x, int64_t size, int64_t stride) {
  float largest = -std::numeric_limits<float>::infinity();
  for (int64_t i = 0; i < size; ++i) largest = std::max(largest, Load(x[i * stride]));
  return largest;
}

// Sum of exp(x - shift).
template <class T>
float SumOfExp(const T* x, float shift, int64_t size, int64_t stride) {
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += std::exp(Load(x[i * stride]) - shift);
  return static_cast<float>(sum);
}

struct SoftmaxLine {
  template <class T>
  static void Run(const T* x, const T*, T* y, int64_t size, int64_t stride) {
    const float shift = Largest(x, size, stride);
    const float scale = 1 / SumOfExp(x, shift, size, stride);
    for (int64_t i = 0; i < size; ++i) y[i * stride] = Store<T>(std::exp(Load(x[i * stride]) - shift) * scale);
  }
};

// y = x - log(sum exp x)
struct LogSoftmaxLine {
  template <class T>
  static void Run(const T* x, const T*, T* y, int64_t size, int64_t stride) {
    const float shift = Largest(x, size, stride);
    const float log_sum = std::log(SumOfExp(x, shift, size, stride));
    for (int64_t i = 0; i < size; ++i) y[i * stride] = Store<T>(Load(x[i * stride]) - shift - log_sum);
  }
};

// dx = y * (dy - sum(y * dy))
struct SoftmaxBackwardLine {
  template <class T>
  static void Run(const T* y, const T* dy, T* dx, int64_t size, int64_t stride) {
    double dot = 0;
    for (int64_t i = 0; i < size; ++i) dot += Load(y[i * stride]) * Load(dy[i * stride]);
    const float mean = static_cast<float>(dot);
    for (int64_t i = 0; i < size; ++i) {
      dx[i * stride] = Store<T>(Load(y[i * stride]) * (Load(dy[i * stride]) - mean));
    }
  }
};

// dx = dy - exp(y) * sum(dy)
struct LogSoftmaxBackwardLine {
  template <class T>
  static void Run(const T* y, const T* dy, T* dx, int64_t size, int64_t stride) {
    double total = 0;
    for (int64_t i = 0; i < size; ++i) total += Load(dy[i * stride]);
    const float sum = static_cast<float>(total);
    for (int64_t i = 0; i < size; ++i) {
      dx[i * stride] = Store<T>(Load(dy[i * stride]) - std::exp(Load(y[i * stride])) * sum);
    }
  }
};

// Applies Line to every line of one or two inputs of the same shape.
template <class Line>
class LinePlan : public PlainPlan {
 public:
  LinePlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, int axis)
      : PlainPlan(context, inputs, std::move(plan_outputs)),
        view_(inputs[0].shape, axis),
        type_(inputs[0].dtype),
        second_(inputs.size() - 1) {}

 protected:
  void RunPlain(const void* const* inputs, void* const* out, void*) override {
    DispatchFloat(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      const T* a = static_cast<const T*>(inputs[0]);        // [outer, size, inner], as the next two
      const T* b = static_cast<const T*>(inputs[second_]);  // the first again, where there is one only
      T* y = static_cast<T*>(out[0]);
      ParallelFor(view_.lines(), kGrain / std::max<int64_t>(1, view_.size), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t at = view_.Begin(i);
          Line::Run(a + at, b + at, y + at, view_.size, view_.inner);
        }
      });
    });
  }

 private:
  AxisView view_;
  DType type_;
  size_t second_;
};

template <class Line>
PlanPtr PrepareLines(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  outputs[0] = PlainDesc(outputs[0].dtype, outputs[0].shape);
  return std::make_shared<LinePlan<Line>>(context, inputs, std::move(outputs), std::get<AxisParams>(op.params).axis);
}

}  // namespace

PlanPtr PrepareSoftmax(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareLines<SoftmaxLine>(context, op, inputs, std::move(outputs));
}

PlanPtr PrepareSoftmaxBackward(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareLines<SoftmaxBackwardLine>(context, op, inputs, std::move(outputs));
}

PlanPtr PrepareLogSoftmax(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareLines<LogSoftmaxLine>(context, op, inputs, std::move(outputs));
}

PlanPtr PrepareLogSoftmaxBackward(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareLines<LogSoftmaxBackwardLine>(context, op, inputs, std::move(outputs));
}

}  // namespace residua::cpu
