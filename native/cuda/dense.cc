// The dense layer and its gradients: x [n, in], w [out, in], b [out], y [n, out]. Matrices are always plain, for only
// images lie otherwise; products by cuBLAS.
#include "cuda/bias.h"
#include "cuda/biased_product.h"
#include "cuda/cast_kernel.h"
#include "cuda/sum.h"

namespace residua::cuda {
namespace {

// y = x w^T. A bias of y's type is added by the same launch; so is one of float32 to a 16-bit y, in float32, which is
// rounded after. Where cublasLt knows no such product the bias is added to y.
class DensePlan : public CudaPlan {
 public:
  DensePlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs)
      : CudaPlan(context), has_bias_(inputs.size() > 2) {
    outputs = std::move(plan_outputs);
    const TensorDesc &x = inputs[0], &y = outputs[0];
    product_ = {x.dtype, y.dtype, x.shape[0], y.shape[1], x.shape[1], false, true};
    if (!has_bias_) return;
    bias_type_ = inputs[2].dtype;
    MatrixProduct biased = product_;
    biased.c_type = bias_type_;
    biased_ = BiasedProduct::Make(context, biased);
    if (biased_ == nullptr) return;
    workspace_at_ = TakeScratch(biased_->workspace_bytes());
    if (bias_type_ != y.dtype) unrounded_at_ = TakeScratch(PlainDesc(bias_type_, y.shape).bytes);
  }

  void Launch(const LaunchArgs& args) override {
    if (biased_ != nullptr) {
      LaunchBiased(args);
      return;
    }
    LaunchProduct(context(), product_, args.inputs[0], args.inputs[1], args.outputs[0]);
    if (has_bias_) LaunchAddBias(context().stream, outputs[0], args.outputs[0], bias_type_, args.inputs[2]);
  }

 private:
  void LaunchBiased(const LaunchArgs& args) {
    const DType type = outputs[0].dtype;
    void* y = bias_type_ == type ? args.outputs[0] : args.scratch + unrounded_at_;
    biased_->Launch(context(), args.inputs[0], args.inputs[1], args.inputs[2], y, args.scratch + workspace_at_);
    if (bias_type_ == type) return;
    LaunchCast(context().stream, bias_type_, y, type, args.outputs[0], NumElements(outputs[0].shape), nullptr);
  }

  MatrixProduct product_;
  bool has_bias_;
  DType bias_type_ = DType::kFloat32;
  std::unique_ptr<BiasedProduct> biased_;
  size_t workspace_at_ = 0, unrounded_at_ = 0;  // in the scratch
};

// dx = dy w
class DenseBackwardDataPlan : public CudaPlan {
 public:
  DenseBackwardDataPlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs) : CudaPlan(context) {
    outputs = std::move(plan_outputs);
    const TensorDesc &dy = inputs[0], &dx = outputs[0];
    product_ = {dy.dtype, dx.dtype, dy.shape[0], dx.shape[1], dy.shape[1]};
  }

  void Launch(const LaunchArgs& args) override {
    LaunchProduct(context(), product_, args.inputs[0], args.inputs[1], args.outputs[0]);
  }

 private:
  MatrixProduct product_;
};

// dw = dy^T x, db = sum of dy over the samples; both float32
class DenseBackwardWeightsPlan : public CudaPlan {
 public:
  DenseBackwardWeightsPlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs)
      : CudaPlan(context), bias_sum_(inputs[1], 1 << 0, DType::kFloat32, false) {
    outputs = std::move(plan_outputs);
    const TensorDesc &x = inputs[0], &dw = outputs[0];
    product_ = {x.dtype, dw.dtype, dw.shape[0], dw.shape[1], x.shape[0], true, false};
    sum_at_ = TakeScratch(bias_sum_.scratch_bytes());
  }

  void Launch(const LaunchArgs& args) override {
    const void *x = args.inputs[0], *dy = args.inputs[1];
    LaunchProduct(context(), product_, dy, x, args.outputs[0]);
    if (outputs.size() > 1) bias_sum_.Launch(context().stream, dy, args.outputs[1], args.scratch + sum_at_);
  }

 private:
  MatrixProduct product_;
  AxisSum bias_sum_;
  size_t sum_at_ = 0;
};

}  // namespace

PlanPtr PrepareDense(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return std::make_shared<DensePlan>(context, inputs, std::move(outputs));
}

PlanPtr PrepareDenseBackwardData(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return std::make_shared<DenseBackwardDataPlan>(context, inputs, std::move(outputs));
}

PlanPtr PrepareDenseBackwardWeights(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return std::make_shared<DenseBackwardWeightsPlan>(context, inputs, std::move(outputs));
}

}  // namespace residua::cuda
