// Softmax and LogSoftmax along an axis, and their backward passes. Computed in float, summed in double.
#include <cmath>

#include "cuda/axis_lines.h"
#include "cuda/cuda_plan.h"
#include "cuda/element.h"

namespace residua::cuda {
namespace {

template <int kWidth, class T>
__device__ inline float Largest(const Line<kWidth>& line, const T* x) {
  float largest = -INFINITY;
  for (int64_t i = line.first(); i < line.size; i += kWidth) largest = fmaxf(largest, Load(x[line.At(i)]));
  return LineMax<kWidth>(largest);
}

// Sum of exp(x - shift).
template <int kWidth, class T>
__device__ inline float SumOfExp(const Line<kWidth>& line, const T* x, float shift) {
  double sum = 0;
  for (int64_t i = line.first(); i < line.size; i += kWidth) sum += expf(Load(x[line.At(i)]) - shift);
  return static_cast<float>(LineSum<kWidth>(sum));
}

struct SoftmaxFunction {
  template <int kWidth, class T>
  __device__ static void Run(const Line<kWidth>& line, const T* x, const T*, T* y) {
    const float shift = Largest(line, x);
    const float scale = 1 / SumOfExp(line, x, shift);
    for (int64_t i = line.first(); i < line.size; i += kWidth) {
      y[line.At(i)] = Store<T>(expf(Load(x[line.At(i)]) - shift) * scale);
    }
  }
};

// y = x - log(sum exp x)
struct LogSoftmaxFunction {
  template <int kWidth, class T>
  __device__ static void Run(const Line<kWidth>& line, const T* x, const T*, T* y) {
    const float shift = Largest(line, x);
    const float log_sum = logf(SumOfExp(line, x, shift));
    for (int64_t i = line.first(); i < line.size; i += kWidth) {
      y[line.At(i)] = Store<T>(Load(x[line.At(i)]) - shift - log_sum);
    }
  }
};

// dx = y * (dy - sum(y * dy))
struct SoftmaxBackwardFunction {
  template <int kWidth, class T>
  __device__ static void Run(const Line<kWidth>& line, const T* y, const T* dy, T* dx) {
    double dot = 0;
    for (int64_t i = line.first(); i < line.size; i += kWidth) dot += Load(y[line.At(i)]) * Load(dy[line.At(i)]);
    const float mean = static_cast<float>(LineSum<kWidth>(dot));
    for (int64_t i = line.first(); i < line.size; i += kWidth) {
      dx[line.At(i)] = Store<T>(Load(y[line.At(i)]) * (Load(dy[line.At(i)]) - mean));
    }
  }
};

// dx = dy - exp(y) * sum(dy)
struct LogSoftmaxBackwardFunction {
  template <int kWidth, class T>
  __device__ static void Run(const Line<kWidth>& line, const T* y, const T* dy, T* dx) {
    double total = 0;
    for (int64_t i = line.first(); i < line.size; i += kWidth) total += Load(dy[line.At(i)]);
    const float sum = static_cast<float>(LineSum<kWidth>(total));
    for (int64_t i = line.first(); i < line.size; i += kWidth) {
      dx[line.At(i)] = Store<T>(Load(dy[line.At(i)]) - expf(Load(y[line.At(i)])) * sum);
    }
  }
};

// One or two inputs of the same shape, [outer, size, inner] as the output.
template <class Function>
class LinesPlan : public ConvertingPlan {
 public:
  LinesPlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs, int axis)
      : ConvertingPlan(context, inputs, AllPlain(inputs), std::move(plan_outputs)),
        view_(inputs[0].shape, axis),
        type_(inputs[0].dtype),
        last_input_(inputs.size() - 1) {}

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    DispatchFloat(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      LaunchLines<Function, T, T>(context().stream, view_, view_.size, args.inputs[0], args.inputs[last_input_],
                                  args.outputs[0]);
    });
  }

 private:
  AxisView view_;
  DType type_;
  size_t last_input_;
};

template <class Function>
PlanPtr PrepareLines(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return std::make_shared<LinesPlan<Function>>(context, inputs, std::move(outputs),
                                               std::get<AxisParams>(op.params).axis);
}

}  // namespace

PlanPtr PrepareSoftmax(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareLines<SoftmaxFunction>(context, op, inputs, std::move(outputs));
}

PlanPtr PrepareSoftmaxBackward(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareLines<SoftmaxBackwardFunction>(context, op, inputs, std::move(outputs));
}

PlanPtr PrepareLogSoftmax(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareLines<LogSoftmaxFunction>(context, op, inputs, std::move(outputs));
}

PlanPtr PrepareLogSoftmaxBackward(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareLines<LogSoftmaxBackwardFunction>(context, op, inputs, std::move(outputs));
}

}  // namespace residua::cuda
