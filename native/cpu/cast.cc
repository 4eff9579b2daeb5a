// Cast between any two of the five types. The layout stays, for 0 is 0 in all of them and so padding stays padding.
#include "cpu/cast_kernel.h"
#include "cpu/cpu_plan.h"

namespace residua::cpu {
namespace {

class CastFlatPlan : public FlatPlan {
 public:
  CastFlatPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs)
      : FlatPlan(context, inputs, std::move(plan_outputs)), from_type_(inputs[0].dtype) {}

 protected:
  void RunFlat(const void* const* inputs, void* const* out, int64_t count) override {
    CastElements(from_type_, inputs[0], outputs[0].dtype, out[0], count);
  }

 private:
  DType from_type_;
};

class CastPlainPlan : public PlainPlan {
 public:
  CastPlainPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs)
      : PlainPlan(context, inputs, std::move(plan_outputs)), from_type_(inputs[0].dtype) {}

 protected:
  void RunPlain(const void* const* inputs, void* const* out, void*) override {
    CastElements(from_type_, inputs[0], outputs[0].dtype, out[0], NumElements(outputs[0].shape));
  }

 private:
  DType from_type_;
};

// Whether oneDNN can describe the layout of `desc` with its element type.
bool IsDescribable(const TensorDesc& desc) {
  try {
    MemoryDescOf(desc);
    return true;
  } catch (const dnnl::error&) {
    return false;
  }
}

}  // namespace

PlanPtr PrepareCast(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  const TensorDesc& x = inputs[0];
  TensorDesc& y = outputs[0];
  y.layout = x.layout;
  y.bytes = x.bytes / SizeOf(x.dtype) * SizeOf(y.dtype);
  if (IsDescribable(y)) return std::make_shared<CastFlatPlan>(context, inputs, std::move(outputs));
  y = PlainDesc(y.dtype, y.shape);
  return std::make_shared<CastPlainPlan>(context, inputs, std::move(outputs));
}

}  // namespace residua::cpu
