// Bilinear resize of images of bytes or floats, to float32. The arithmetic is in core/bilinear.h.
#include "core/bilinear.h"
#include "cpu/cpu_plan.h"
#include "cpu/element.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // pixels a thread makes at least

class ResizeBilinearPlan : public PlainPlan {
 public:
  // x [n, c, in_h, in_w] -> y [n, c, out_h, out_w]
  ResizeBilinearPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, const ResizeParams& params)
      : PlainPlan(context, inputs, std::move(plan_outputs)),
        resize_(inputs[0].shape[2], inputs[0].shape[3], params.height, params.width),
        planes_(inputs[0].shape[0] * inputs[0].shape[1]),
        plane_size_(inputs[0].shape[2] * inputs[0].shape[3]),
        type_(inputs[0].dtype),
        scale_(params.scale) {}

 protected:
  void RunPlain(const void* const* inputs, void* const* out, void*) override {
    DispatchType(type_, [&](auto tag) {
      Resize(static_cast<const typename decltype(tag)::Type*>(inputs[0]), static_cast<float*>(out[0]));
    });
  }

 private:
  // The rows of all planes, one below the other, are shared out among the threads.
  template <class T>
  void Resize(const T* x, float* y) const {
    const int64_t height = resize_.out_h(), width = resize_.out_w();
    const auto load = [](T value) { return static_cast<float>(Load(value)); };
    ParallelFor(planes_ * height, kGrain / std::max<int64_t>(1, width), [&](int64_t begin, int64_t end) {
      std::vector<float> buffer(resize_.buffer_size());
      while (begin < end) {
        const int64_t plane = begin / height, row = begin % height;
        const int64_t last = std::min(height, row + end - begin);
        resize_.Rows(x + plane * plane_size_, row, last, scale_, load, buffer.data(), y + plane * height * width);
        begin += last - row;
      }
    });
  }

  BilinearResize resize_;
  int64_t planes_, plane_size_;
  DType type_;
  float scale_;
};

}  // namespace

PlanPtr PrepareResizeBilinear(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  outputs[0] = PlainDesc(DType::kFloat32, outputs[0].shape);
  const ResizeParams& params = std::get<ResizeParams>(op.params);
  return std::make_shared<ResizeBilinearPlan>(context, inputs, std::move(outputs), params);
}

}  // namespace residua::cpu
