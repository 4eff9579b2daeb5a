// Bilinear resize of images of bytes or floats, to float32: the arithmetic of core/bilinear.h, one output a thread.
#include "cuda/cuda_plan.h"
#include "cuda/element.h"
#include "cuda/strided_index.h"

namespace residua::cuda {
namespace {

struct Axis {
  int64_t in, out;
  double scale;  // in / out

  Axis(int64_t in_size, int64_t out_size)
      : in(in_size), out(out_size), scale(static_cast<double>(in_size) / static_cast<double>(out_size)) {}
};

// The two source positions of an output position, and the weight of the second.
struct Tap {
  int64_t first, second;
  float weight;
};

__device__ inline Tap TapOf(const Axis& axis, int64_t i) {
  double source = axis.scale * (static_cast<double>(i) + 0.5) - 0.5;
  if (source < 0) source = 0;
  int64_t first = static_cast<int64_t>(source);
  if (first > axis.in - 1) first = axis.in - 1;
  const double weight = source - static_cast<double>(first);
  const int64_t second = first + 1 < axis.in ? first + 1 : first;
  return {first, second, static_cast<float>(weight < 1 ? weight : 1.0)};
}

struct Images {
  Axis rows, columns;
  int64_t channels;
  int64_t stride_n, stride_c, stride_h, stride_w;  // of x
  float scale;
};

// x [n, c, in_h, in_w] as it lies -> y [n, c, out_h, out_w]
template <class T>
__global__ void ResizeKernel(Images images, const T* x, float* y, int64_t count) {
  for (int64_t i = GridThread(); i < count; i += GridThreads()) {
    const int64_t above = Quotient(i, images.columns.out);  // rows of all planes before
    const int64_t plane = Quotient(above, images.rows.out);
    const int64_t image = Quotient(plane, images.channels);
    const Tap row = TapOf(images.rows, above - plane * images.rows.out);
    const Tap column = TapOf(images.columns, i - above * images.columns.out);
    const T* from = x + image * images.stride_n + (plane - image * images.channels) * images.stride_c;
    const auto stretched = [&](int64_t h) {
      const T* line = from + h * images.stride_h;
      return (1 - column.weight) * ToFloat(line[column.first * images.stride_w]) +
             column.weight * ToFloat(line[column.second * images.stride_w]);
    };
    y[i] = ((1 - row.weight) * stretched(row.first) + row.weight * stretched(row.second)) * images.scale;
  }
}

class ResizeBilinearPlan : public CudaPlan {
 public:
  ResizeBilinearPlan(const CudaContext& context, const TensorDesc& x, Descs plan_outputs, const ResizeParams& params)
      : CudaPlan(context), images_(ImagesOf(x, params)), type_(x.dtype) {
    outputs = std::move(plan_outputs);
  }

  void Launch(const LaunchArgs& args) override {
    const int64_t count = NumElements(outputs[0].shape);
    DispatchType(type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      RESIDUA_LAUNCH(ResizeKernel<T>, BlocksFor(count), kThreads, context().stream, images_,
                     static_cast<const T*>(args.inputs[0]), static_cast<float*>(args.outputs[0]), count);
    });
  }

 private:
  static Images ImagesOf(const TensorDesc& x, const ResizeParams& params) {
    const std::vector<int64_t> strides = StridesOf(x);
    return {Axis(x.shape[2], params.height),
            Axis(x.shape[3], params.width),
            x.shape[1],
            strides[0],
            strides[1],
            strides[2],
            strides[3],
            params.scale};
  }

  Images images_;
  DType type_;
};

}  // namespace

PlanPtr PrepareResizeBilinear(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const ResizeParams& params = std::get<ResizeParams>(op.params);
  return std::make_shared<ResizeBilinearPlan>(context, inputs[0], std::move(outputs), params);
}

}  // namespace residua::cuda
