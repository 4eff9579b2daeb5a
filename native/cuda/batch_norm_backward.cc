// Gradients of BatchNorm, with its ReLU, and with the residual that was added before the ReLU. After training cuDNN's
// fused graphs where it has an engine, else kernels of our own; with constant statistics kernels of our own.
#include "cuda/batch_norm_forms.h"
#include "cuda/batch_norm_kernels.h"
#include "cuda/graph_planner.h"

namespace residua::cuda {
namespace {

Descs WantedInputs(const Descs& inputs) {
  Descs wanted = inputs;
  wanted[0] = ImageForm(inputs[0]);
  wanted[1] = ImageForm(inputs[1]);
  return wanted;
}

// x, dy, gamma, beta, mean, variance, [mask] -> dx, [dresidual], dgamma, dbeta
class BackwardPlan : public ConvertingPlan {
 public:
  BackwardPlan(const CudaContext& context, const BatchNormParams& params, BatchNormTail tail, const Descs& inputs,
               Descs plan_outputs)
      : ConvertingPlan(context, inputs, WantedInputs(inputs), std::move(plan_outputs)), params_(params), tail_(tail) {}

 protected:
  BatchNormGradientArgs OperandsOf(const LaunchArgs& args) const {
    const bool residual = tail_ == BatchNormTail::kAddRelu;
    BatchNormGradientArgs t;
    t.x = args.inputs[0];
    t.dy = args.inputs[1];
    t.gamma = static_cast<const float*>(args.inputs[2]);
    t.mean = static_cast<const float*>(args.inputs[4]);
    t.spread = {static_cast<const float*>(args.inputs[5]), params_.training == 0, params_.epsilon};
    t.constant_statistics = params_.training == 0;
    if (tail_ != BatchNormTail::kNone) t.mask = static_cast<const uint8_t*>(args.inputs[6]);
    t.dx = args.outputs[0];
    if (residual) t.dresidual = args.outputs[1];
    t.dgamma = static_cast<float*>(args.outputs[residual ? 2 : 1]);
    t.dbeta = static_cast<float*>(args.outputs[residual ? 3 : 2]);
    return t;
  }

 private:
  BatchNormParams params_;
  BatchNormTail tail_;
};

class GraphBackwardPlan : public BackwardPlan {
 public:
  GraphBackwardPlan(const CudaContext& context, const BatchNormParams& params, BatchNormTail tail, const Descs& inputs,
                    Descs plan_outputs, BatchNormBackwardGraph graph, std::shared_ptr<GraphPlan> plan)
      : BackwardPlan(context, params, tail, inputs, std::move(plan_outputs)),
        graph_(std::move(graph)),
        plan_(std::move(plan)) {
    ReserveScratch(plan_->workspace_bytes());
  }

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    const BatchNormGradientArgs t = OperandsOf(args);
    const Graph::BatchNormGradients& norm = graph_.norm;
    const auto to_read = [](const void* pointer) { return const_cast<void*>(pointer); };
    std::vector<std::pair<Graph::TensorId, void*>> pointers = {
        {graph_.x, to_read(t.x)},       {graph_.dy, to_read(t.dy)},   {graph_.dx, t.dx},
        {norm.scale, to_read(t.gamma)}, {norm.mean, to_read(t.mean)}, {norm.inverse_std, to_read(t.spread.values)},
        {norm.dscale, t.dgamma},        {norm.dbias, t.dbeta}};
    if (t.mask != nullptr) pointers.push_back({graph_.mask, to_read(t.mask)});
    if (t.dresidual != nullptr) pointers.push_back({graph_.dresidual, t.dresidual});
    plan_->Execute(pointers, args.scratch);
  }

 private:
  BatchNormBackwardGraph graph_;
  std::shared_ptr<GraphPlan> plan_;
};

class KernelBackwardPlan : public BackwardPlan {
 public:
  KernelBackwardPlan(const CudaContext& context, const BatchNormParams& params, BatchNormTail tail, const Descs& inputs,
                     Descs plan_outputs)
      : BackwardPlan(context, params, tail, inputs, std::move(plan_outputs)), view_(ViewOf(inputs[0])) {
    ReserveScratch(BatchNormScratchBytes(context, view_));
  }

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    const BatchNormGradientArgs t = OperandsOf(args);
    LaunchBatchNormSums(context(), view_, t, args.scratch);
    LaunchBatchNormInputGradient(context(), view_, t);
  }

 private:
  ChannelView view_;
};

PlanPtr PrepareBackward(const CudaContext& context, const BatchNormParams& params, BatchNormTail tail,
                        const Descs& inputs, Descs outputs) {
  outputs[0] = ImageForm(outputs[0]);
  if (tail == BatchNormTail::kAddRelu) outputs[1] = ImageForm(outputs[1]);
  if (tail != BatchNormTail::kNone) CheckMaskForm(inputs[6]);
  if (params.training) CheckInverseStdForm(inputs[5]);
  const Shape image = params.training ? CudnnImage(inputs[0]) : Shape{};
  if (!image.empty()) {
    BatchNormBackwardGraph graph = MakeBatchNormBackward(inputs[0].dtype, image, tail);
    if (std::shared_ptr<GraphPlan> plan = context.planner->Plan(graph.graph)) {
      return std::make_shared<GraphBackwardPlan>(context, params, tail, inputs, std::move(outputs), std::move(graph),
                                                 std::move(plan));
    }
  }
  return std::make_shared<KernelBackwardPlan>(context, params, tail, inputs, std::move(outputs));
}

}  // namespace

PlanPtr PrepareBatchNormBackward(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const auto& params = std::get<BatchNormParams>(op.params);
  const BatchNormTail tail = params.relu ? BatchNormTail::kRelu : BatchNormTail::kNone;
  return PrepareBackward(context, params, tail, inputs, std::move(outputs));
}

PlanPtr PrepareBatchNormAddReluBackward(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  if (inputs.size() > 7) {
    throw Error(ErrorCode::kNative, "batchNormAddReluBackward of two gradients is for the CPU: add them first.");
  }
  return PrepareBackward(context, std::get<BatchNormParams>(op.params), BatchNormTail::kAddRelu, inputs,
                         std::move(outputs));
}

}  // namespace residua::cuda
