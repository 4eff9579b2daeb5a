// The convolution's three passes by direct summation, one thread for each element of the result.
#include "cuda/conv2d_fallback.h"

#include "cuda/element.h"
#include "cuda/grid.h"

namespace residua::cuda {
namespace {

// x [n, ci, h, w], w [co, ci_group, kh, kw], y [n, co, oh, ow], all NHWC; ci_group and co_group are channels of a
// group.
struct Dims {
  int64_t n, ci, h, w, co, oh, ow;
  int64_t kh, kw, ci_group, co_group;
  int64_t stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
};

Dims DimsOf(const ConvolutionSpec& spec) {
  const Conv2dParams& p = spec.params;
  return {spec.x[0],
          spec.x[1],
          spec.x[2],
          spec.x[3],
          spec.y[1],
          spec.y[2],
          spec.y[3],
          spec.w[2],
          spec.w[3],
          spec.w[1],
          spec.w[0] / p.groups,
          p.stride_h,
          p.stride_w,
          p.pad_h,
          p.pad_w,
          p.dilation_h,
          p.dilation_w};
}

// Element `index` of an NHWC array of sizes [.., h, w, c], taken apart.
struct Place {
  int64_t n, h, w, c;
};
__device__ inline Place PlaceOf(int64_t index, int64_t h, int64_t w, int64_t c) {
  const int64_t row = Quotient(index, c), line = Quotient(row, w), image = Quotient(line, h);
  return {image, line - image * h, row - line * w, index - row * c};
}
__device__ inline int64_t IndexOf(const Place& at, int64_t h, int64_t w, int64_t c) {
  return ((at.n * h + at.h) * w + at.w) * c + at.c;
}

// The output line (or column) that tap `tap` connects with input line `in`; -1 where there is none.
__device__ inline int64_t OutputOf(int64_t in, int64_t tap, int64_t stride, int64_t pad, int64_t dilation,
                                   int64_t outputs) {
  const int64_t at = in + pad - tap * dilation;
  if (at < 0 || at % stride != 0 || at / stride >= outputs) return -1;
  return at / stride;
}

template <class T>
__global__ void ForwardKernel(Dims d, const T* x, const T* w, T* y) {
  for (int64_t index = GridThread(); index < d.n * d.oh * d.ow * d.co; index += GridThreads()) {
    const Place out = PlaceOf(index, d.oh, d.ow, d.co);
    const int64_t first_channel = Quotient(out.c, d.co_group) * d.ci_group;
    float sum = 0;
    for (int64_t kh = 0; kh < d.kh; ++kh) {
      const int64_t h = out.h * d.stride_h - d.pad_h + kh * d.dilation_h;
      if (h < 0 || h >= d.h) continue;
      for (int64_t kw = 0; kw < d.kw; ++kw) {
        const int64_t column = out.w * d.stride_w - d.pad_w + kw * d.dilation_w;
        if (column < 0 || column >= d.w) continue;
        const T* pixel = x + IndexOf({out.n, h, column, first_channel}, d.h, d.w, d.ci);
        const T* tap = w + IndexOf({out.c, kh, kw, 0}, d.kh, d.kw, d.ci_group);
        for (int64_t c = 0; c < d.ci_group; ++c) sum += ToFloat(pixel[c]) * ToFloat(tap[c]);
      }
    }
    y[index] = FromFloat<T>(sum);
  }
}

template <class T>
__global__ void BackwardDataKernel(Dims d, const T* dy, const T* w, T* dx) {
  for (int64_t index = GridThread(); index < d.n * d.h * d.w * d.ci; index += GridThreads()) {
    const Place in = PlaceOf(index, d.h, d.w, d.ci);
    const int64_t group = Quotient(in.c, d.ci_group), channel = in.c - group * d.ci_group;
    float sum = 0;
    for (int64_t kh = 0; kh < d.kh; ++kh) {
      const int64_t oh = OutputOf(in.h, kh, d.stride_h, d.pad_h, d.dilation_h, d.oh);
      if (oh < 0) continue;
      for (int64_t kw = 0; kw < d.kw; ++kw) {
        const int64_t ow = OutputOf(in.w, kw, d.stride_w, d.pad_w, d.dilation_w, d.ow);
        if (ow < 0) continue;
        for (int64_t c = group * d.co_group; c < (group + 1) * d.co_group; ++c) {
          sum += ToFloat(dy[IndexOf({in.n, oh, ow, c}, d.oh, d.ow, d.co)]) *
                 ToFloat(w[IndexOf({c, kh, kw, channel}, d.kh, d.kw, d.ci_group)]);
        }
      }
    }
    dx[index] = FromFloat<T>(sum);
  }
}

// Sums over whole batches are long: each line in float, the lines in double.
template <class T>
__global__ void BackwardWeightsKernel(Dims d, const T* x, const T* dy, float* dw) {
  for (int64_t index = GridThread(); index < d.co * d.kh * d.kw * d.ci_group; index += GridThreads()) {
    const Place tap = PlaceOf(index, d.kh, d.kw, d.ci_group);  // n: output channel, h and w: position in the kernel
    const int64_t channel = Quotient(tap.n, d.co_group) * d.ci_group + tap.c;
    double sum = 0;
    for (int64_t line = 0; line < d.n * d.oh; ++line) {
      const int64_t n = Quotient(line, d.oh), oh = line - n * d.oh;
      const int64_t h = oh * d.stride_h - d.pad_h + tap.h * d.dilation_h;
      if (h < 0 || h >= d.h) continue;
      float line_sum = 0;
      for (int64_t ow = 0; ow < d.ow; ++ow) {
        const int64_t column = ow * d.stride_w - d.pad_w + tap.w * d.dilation_w;
        if (column < 0 || column >= d.w) continue;
        line_sum += ToFloat(x[IndexOf({n, h, column, channel}, d.h, d.w, d.ci)]) *
                    ToFloat(dy[IndexOf({n, oh, ow, tap.n}, d.oh, d.ow, d.co)]);
      }
      sum += line_sum;
    }
    dw[index] = static_cast<float>(sum);
  }
}

template <class T>
void Launch(cudaStream_t stream, const ConvolutionSpec& spec, void* x, void* w, void* y) {
  const Dims dims = DimsOf(spec);
  T *x_values = static_cast<T*>(x), *y_values = static_cast<T*>(y);
  switch (spec.pass) {
    case ConvolutionPass::kForward:
      RESIDUA_LAUNCH(ForwardKernel<T>, BlocksFor(NumElements(spec.y)), kThreads, stream, dims, x_values,
                     static_cast<const T*>(w), y_values);
      return;
    case ConvolutionPass::kBackwardData:
      RESIDUA_LAUNCH(BackwardDataKernel<T>, BlocksFor(NumElements(spec.x)), kThreads, stream, dims, y_values,
                     static_cast<const T*>(w), x_values);
      return;
    case ConvolutionPass::kBackwardWeights:
      RESIDUA_LAUNCH(BackwardWeightsKernel<T>, BlocksFor(NumElements(spec.w)), kThreads, stream, dims, x_values,
                     y_values, static_cast<float*>(w));
      return;
  }
}

}  // namespace

void LaunchDirectConvolution(cudaStream_t stream, const ConvolutionSpec& spec, void* x, void* w, void* y) {
  DispatchFloat(spec.dtype, [&](auto tag) { Launch<typename decltype(tag)::Type>(stream, spec, x, w, y); });
}

}  // namespace residua::cuda
