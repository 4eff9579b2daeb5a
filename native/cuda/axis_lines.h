// Kernels that work line by line along one axis of a plain tensor [outer, size, inner]. For .cu files, after launch.h.
#pragma once
#include "core/shape.h"
#include "cuda/grid.h"

namespace residua::cuda {

struct AxisView {
  int64_t outer = 1, size = 1, inner = 1;

  AxisView(const Shape& shape, int axis) {
    if (shape.empty()) return;  // a scalar is [1, 1, 1]
    for (int i = 0; i < static_cast<int>(shape.size()); ++i) (i < axis ? outer : i == axis ? size : inner) *= shape[i];
  }

  int64_t lines() const { return outer * inner; }
};

// One line, its elements `stride` apart, shared by kWidth threads: a whole warp where elements are neighbours, a single
// thread where lines are (its neighbours then read the neighbouring lines). Thread `first` looks at elements first,
// first + kWidth, ...
template <int kWidth>
struct Line {
  int64_t size, stride;

  __device__ int64_t first() const { return kWidth == 1 ? 0 : Lane(); }
  __device__ int64_t At(int64_t i) const { return i * stride; }
};

template <int kWidth, class T>
__device__ inline T LineSum(T value) {
  if constexpr (kWidth == 1) {
    return value;
  } else {
    return WarpSum(value);
  }
}
template <int kWidth>
__device__ inline float LineMax(float value) {
  if constexpr (kWidth == 1) {
    return value;
  } else {
    return WarpMax(value);
  }
}

// y = Function(a, b) for every line; Function::Run(line, a, b, y) gets pointers to the line's first elements.
template <class Function, class In, class Out, int kWidth>
__global__ void LinesKernel(int64_t lines, int64_t size, int64_t inner, int64_t out_size, const In* a, const In* b,
                            Out* y) {
  for (int64_t i = GridThread() / kWidth; i < lines; i += GridThreads() / kWidth) {
    const int64_t outer = Quotient(i, inner), within = i - outer * inner;
    const int64_t at = outer * size * inner + within, out_at = outer * out_size * inner + within;
    Function::Run(Line<kWidth>{size, inner}, a + at, b + at, y + out_at);
  }
}

// `out_size`: elements of y along the axis, view.size or 1.
template <class Function, class In, class Out>
void LaunchLines(cudaStream_t stream, const AxisView& view, int64_t out_size, const void* a, const void* b, void* y) {
  const auto* a_values = static_cast<const In*>(a);
  const auto* b_values = static_cast<const In*>(b);
  auto* y_values = static_cast<Out*>(y);
  const int64_t lines = view.lines();
  if (view.inner == 1) {
    constexpr auto kernel = LinesKernel<Function, In, Out, kLanes>;
    RESIDUA_LAUNCH_COOPERATIVE(kernel, BlocksFor(lines * kLanes), kThreads, 0, stream, lines, view.size, view.inner,
                               out_size, a_values, b_values, y_values);
  } else {
    constexpr auto kernel = LinesKernel<Function, In, Out, 1>;
    RESIDUA_LAUNCH(kernel, BlocksFor(lines), kThreads, stream, lines, view.size, view.inner, out_size, a_values,
                   b_values, y_values);
  }
}

}  // namespace residua::cuda
