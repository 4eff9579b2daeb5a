// Kernels of pooling over NHWC images: a thread an element of the result, channels neighbours.
#include "cuda/pool2d_kernels.h"

#include "cuda/element.h"
#include "cuda/grid.h"

namespace residua::cuda {
namespace {

template <class T>
__device__ inline float LowestNumber() {
  if constexpr (std::is_same_v<T, __half>) {
    return -65504.0f;
  } else if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    return -3.38953139e38f;
  } else {
    return -3.40282347e38f;
  }
}

// Element `index` of an NHWC tensor of `height` x `width`.
struct Place {
  int64_t n, y, x, c;
};
__device__ inline Place PlaceOf(int64_t index, int64_t height, int64_t width, int64_t channels) {
  const int64_t pixel = Quotient(index, channels), row = Quotient(pixel, width), n = Quotient(row, height);
  return {n, row - n * height, pixel - row * width, index - pixel * channels};
}

// Positions `begin` to `end` (exclusive) of a window along an axis that lie in the image; `start`: where its first
// does.
struct Extent {
  int64_t start, begin, end;
  __device__ Extent(int64_t output, int64_t pool, int64_t stride, int64_t pad, int64_t size) {
    start = output * stride - pad;
    begin = start < 0 ? -start : 0;
    end = start + pool < size ? pool : size - start;
  }
  __device__ int64_t length() const { return end - begin; }
};
__device__ inline Extent RowsOf(const Pool2dView& view, int64_t oy) {
  return Extent(oy, view.params.pool_h, view.params.stride_h, view.params.pad_h, view.h);
}
__device__ inline Extent ColumnsOf(const Pool2dView& view, int64_t ox) {
  return Extent(ox, view.params.pool_w, view.params.stride_w, view.params.pad_w, view.w);
}

// Windows `begin` to `end` (exclusive) along an axis that cover `input`.
struct Cover {
  int64_t begin, end;
  __device__ Cover(int64_t input, int64_t pool, int64_t stride, int64_t pad, int64_t outputs) {
    const int64_t padded = input + pad, last = Quotient(padded, stride);
    begin = padded < pool ? 0 : Quotient(padded - pool, stride) + 1;
    end = last < outputs ? last + 1 : outputs;
  }
};
__device__ inline Cover RowsOver(const Pool2dView& view, int64_t iy) {
  return Cover(iy, view.params.pool_h, view.params.stride_h, view.params.pad_h, view.oh);
}
__device__ inline Cover ColumnsOver(const Pool2dView& view, int64_t ix) {
  return Cover(ix, view.params.pool_w, view.params.stride_w, view.params.pad_w, view.ow);
}

__device__ inline int64_t InputAt(const Pool2dView& view, const Place& at, int64_t iy, int64_t ix) {
  return ((at.n * view.h + iy) * view.w + ix) * view.c + at.c;
}
__device__ inline int64_t OutputAt(const Pool2dView& view, const Place& at, int64_t oy, int64_t ox) {
  return ((at.n * view.oh + oy) * view.ow + ox) * view.c + at.c;
}

template <class T, class Position>
__global__ void MaxPoolKernel(Pool2dView view, int64_t count, const T* x, T* y, Position* argmax) {
  for (int64_t i = GridThread(); i < count; i += GridThreads()) {
    const Place at = PlaceOf(i, view.oh, view.ow, view.c);
    const Extent rows = RowsOf(view, at.y), columns = ColumnsOf(view, at.x);
    float best = LowestNumber<T>();
    int64_t position = rows.begin * view.params.pool_w + columns.begin;
    for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
      for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
        const float value = ToFloat(x[InputAt(view, at, rows.start + ky, columns.start + kx)]);
        if (!(value > best)) continue;
        best = value;
        position = ky * view.params.pool_w + kx;
      }
    }
    y[i] = FromFloat<T>(best);
    argmax[i] = static_cast<Position>(position);
  }
}

template <class T, class Position>
__global__ void MaxPoolBackwardKernel(Pool2dView view, int64_t count, const T* dy, const Position* argmax, T* dx) {
  for (int64_t i = GridThread(); i < count; i += GridThreads()) {
    const Place at = PlaceOf(i, view.h, view.w, view.c);
    const Cover rows = RowsOver(view, at.y), columns = ColumnsOver(view, at.x);
    float sum = 0;
    for (int64_t oy = rows.begin; oy < rows.end; ++oy) {
      for (int64_t ox = columns.begin; ox < columns.end; ++ox) {
        const int64_t ky = at.y - RowsOf(view, oy).start, kx = at.x - ColumnsOf(view, ox).start;
        const int64_t output = OutputAt(view, at, oy, ox);
        if (argmax[output] == ky * view.params.pool_w + kx) sum += ToFloat(dy[output]);
      }
    }
    dx[i] = FromFloat<T>(sum);
  }
}

// What a window's sum is divided by.
__device__ inline float DivisorOf(const Pool2dView& view, const Extent& rows, const Extent& columns) {
  const int64_t all = static_cast<int64_t>(view.params.pool_h) * view.params.pool_w;
  return static_cast<float>(view.params.count_include_pad ? all : rows.length() * columns.length());
}

template <class T>
__global__ void AvgPoolKernel(Pool2dView view, int64_t count, const T* x, T* y) {
  for (int64_t i = GridThread(); i < count; i += GridThreads()) {
    const Place at = PlaceOf(i, view.oh, view.ow, view.c);
    const Extent rows = RowsOf(view, at.y), columns = ColumnsOf(view, at.x);
    float sum = 0;
    for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
      for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
        sum += ToFloat(x[InputAt(view, at, rows.start + ky, columns.start + kx)]);
      }
    }
    y[i] = FromFloat<T>(sum / DivisorOf(view, rows, columns));
  }
}

template <class T>
__global__ void AvgPoolBackwardKernel(Pool2dView view, int64_t count, const T* dy, T* dx) {
  for (int64_t i = GridThread(); i < count; i += GridThreads()) {
    const Place at = PlaceOf(i, view.h, view.w, view.c);
    const Cover rows = RowsOver(view, at.y), columns = ColumnsOver(view, at.x);
    float sum = 0;
    for (int64_t oy = rows.begin; oy < rows.end; ++oy) {
      for (int64_t ox = columns.begin; ox < columns.end; ++ox) {
        sum += ToFloat(dy[OutputAt(view, at, oy, ox)]) / DivisorOf(view, RowsOf(view, oy), ColumnsOf(view, ox));
      }
    }
    dx[i] = FromFloat<T>(sum);
  }
}

int64_t InputCount(const Pool2dView& view) { return view.n * view.h * view.w * view.c; }
int64_t OutputCount(const Pool2dView& view) { return view.n * view.oh * view.ow * view.c; }

// Calls body(tag of the elements' type, tag of the positions' type).
template <class Body>
void DispatchMaxPool(const Pool2dView& view, const Body& body) {
  DispatchFloat(view.dtype, [&](auto tag) {
    if (PositionBytes(view.params) == 1) {
      body(tag, TypeTag<uint8_t>{});
    } else {
      body(tag, TypeTag<int32_t>{});
    }
  });
}

}  // namespace

Pool2dView ViewOf(DType dtype, const Pool2dParams& params, const Shape& x, const Shape& y) {
  return {dtype, params, x[0], x[1], x[2], x[3], y[2], y[3]};
}

size_t PositionBytes(const Pool2dParams& params) { return int64_t{params.pool_h} * params.pool_w <= 256 ? 1 : 4; }

void LaunchMaxPool2d(const CudaContext& context, const Pool2dView& view, void* const* inputs, void* const* outputs) {
  DispatchMaxPool(view, [&](auto tag, auto position_tag) {
    using T = typename decltype(tag)::Type;
    using Position = typename decltype(position_tag)::Type;
    constexpr auto kernel = MaxPoolKernel<T, Position>;
    RESIDUA_LAUNCH(kernel, BlocksFor(OutputCount(view)), kThreads, context.stream, view, OutputCount(view),
                   static_cast<const T*>(inputs[0]), static_cast<T*>(outputs[0]), static_cast<Position*>(outputs[1]));
  });
}

void LaunchMaxPool2dBackward(const CudaContext& context, const Pool2dView& view, void* const* inputs,
                             void* const* outputs) {
  DispatchMaxPool(view, [&](auto tag, auto position_tag) {
    using T = typename decltype(tag)::Type;
    using Position = typename decltype(position_tag)::Type;
    constexpr auto kernel = MaxPoolBackwardKernel<T, Position>;
    RESIDUA_LAUNCH(kernel, BlocksFor(InputCount(view)), kThreads, context.stream, view, InputCount(view),
                   static_cast<const T*>(inputs[0]), static_cast<const Position*>(inputs[1]),
                   static_cast<T*>(outputs[0]));
  });
}

void LaunchAvgPool2d(const CudaContext& context, const Pool2dView& view, void* const* inputs, void* const* outputs) {
  DispatchFloat(view.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    RESIDUA_LAUNCH(AvgPoolKernel<T>, BlocksFor(OutputCount(view)), kThreads, context.stream, view, OutputCount(view),
                   static_cast<const T*>(inputs[0]), static_cast<T*>(outputs[0]));
  });
}

void LaunchAvgPool2dBackward(const CudaContext& context, const Pool2dView& view, void* const* inputs,
                             void* const* outputs) {
  DispatchFloat(view.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    RESIDUA_LAUNCH(AvgPoolBackwardKernel<T>, BlocksFor(InputCount(view)), kThreads, context.stream, view,
                   InputCount(view), static_cast<const T*>(inputs[0]), static_cast<T*>(outputs[0]));
  });
}

}  // namespace residua::cuda
