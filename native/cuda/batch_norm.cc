// BatchNorm over axis 1 of x [n, c, ...], with a ReLU or with the addition of a residual and a ReLU; gamma, beta and
// the statistics are float32 [c]. In training cuDNN's fused graphs where it has an engine, else kernels of our own;
// outside training kernels of our own, for cuDNN has no engine there.
#include "cuda/batch_norm_forms.h"
#include "cuda/batch_norm_kernels.h"
#include "cuda/graph_planner.h"

namespace residua::cuda {
namespace {

// Pointers of one launch by their names in core/op.h; null where the op has no such input or output.
struct Operands {
  void *x, *residual;
  float *gamma, *beta, *running_mean, *running_variance;
  void* y;
  float *mean, *inverse_std;
  uint8_t* mask;

  Operands(const LaunchArgs& args, BatchNormTail tail, bool training) {
    void* const* next = args.inputs;
    const auto take = [&next] { return static_cast<float*>(*next++); };
    x = *next++;
    residual = tail == BatchNormTail::kAddRelu ? *next++ : nullptr;
    gamma = take();
    beta = take();
    running_mean = take();
    running_variance = take();
    y = args.outputs[0];
    mean = training ? static_cast<float*>(args.outputs[1]) : nullptr;
    inverse_std = training ? static_cast<float*>(args.outputs[2]) : nullptr;
    mask = training && tail != BatchNormTail::kNone ? static_cast<uint8_t*>(args.outputs[3]) : nullptr;
  }
};

Descs WantedInputs(const Descs& inputs, BatchNormTail tail) {
  Descs wanted = inputs;
  wanted[0] = ImageForm(inputs[0]);
  if (tail == BatchNormTail::kAddRelu) wanted[1] = ImageForm(inputs[1]);
  return wanted;
}

class ForwardPlan : public ConvertingPlan {
 public:
  ForwardPlan(const CudaContext& context, const BatchNormParams& params, BatchNormTail tail, const Descs& inputs,
              Descs plan_outputs)
      : ConvertingPlan(context, inputs, WantedInputs(inputs, tail), std::move(plan_outputs)),
        params_(params),
        tail_(tail),
        view_(ViewOf(inputs[0])) {
    updates_in_place = params.training != 0;
  }

 protected:
  Operands OperandsOf(const LaunchArgs& args) const { return Operands(args, tail_, params_.training != 0); }
  RunningStatistics RunningOf(const Operands& t) const {
    return {t.running_mean, t.running_variance, params_.momentum};
  }

  void Normalize(const Operands& t, const float* mean, const Spread& spread) {
    NormalizeArgs args;
    args.x = t.x;
    args.residual = t.residual;
    args.gamma = t.gamma;
    args.beta = t.beta;
    args.mean = mean;
    args.spread = spread;
    args.relu = tail_ != BatchNormTail::kNone;
    args.y = t.y;
    args.mask = t.mask;
    LaunchNormalize(context(), view_, args);
  }

  BatchNormParams params_;
  BatchNormTail tail_;
  ChannelView view_;
};

class GraphTrainingPlan : public ForwardPlan {
 public:
  GraphTrainingPlan(const CudaContext& context, const BatchNormParams& params, BatchNormTail tail, const Descs& inputs,
                    Descs plan_outputs, BatchNormForwardGraph graph, std::shared_ptr<GraphPlan> plan)
      : ForwardPlan(context, params, tail, inputs, std::move(plan_outputs)),
        graph_(std::move(graph)),
        plan_(std::move(plan)),
        epsilon_(params.epsilon),
        average_factor_(1 - params.momentum),
        next_bytes_((static_cast<size_t>(view_.channels) * sizeof(float) + 255) / 256 * 256) {
    ReserveScratch(2 * next_bytes_ + plan_->workspace_bytes());
  }

 protected:
  // The graph cannot look at guards: where there are any it writes the next running statistics beside the old ones.
  void LaunchConverted(const LaunchArgs& args) override {
    const Operands t = OperandsOf(args);
    const bool guarded = args.guard_count > 0;
    float* next_mean = guarded ? reinterpret_cast<float*>(args.scratch) : t.running_mean;
    float* next_variance = guarded ? reinterpret_cast<float*>(args.scratch + next_bytes_) : t.running_variance;
    const Graph::BatchNormTensors& norm = graph_.norm;
    std::vector<std::pair<Graph::TensorId, void*>> pointers = {{graph_.x, t.x},
                                                               {graph_.y, t.y},
                                                               {norm.scale, t.gamma},
                                                               {norm.bias, t.beta},
                                                               {norm.mean, t.mean},
                                                               {norm.inverse_std, t.inverse_std},
                                                               {norm.running_mean, t.running_mean},
                                                               {norm.running_variance, t.running_variance},
                                                               {norm.next_running_mean, next_mean},
                                                               {norm.next_running_variance, next_variance},
                                                               {norm.epsilon, &epsilon_},
                                                               {norm.average_factor, &average_factor_}};
    if (t.residual != nullptr) pointers.push_back({graph_.residual, t.residual});
    if (t.mask != nullptr) {
      pointers.push_back({graph_.mask, t.mask});
      pointers.push_back({graph_.zero, &zero_});
    }
    plan_->Execute(pointers, args.scratch + 2 * next_bytes_);
    if (guarded) LaunchUpdateRunning(context(), view_.channels, next_mean, next_variance, RunningOf(t), args);
  }

 private:
  BatchNormForwardGraph graph_;
  std::shared_ptr<GraphPlan> plan_;
  float epsilon_, average_factor_, zero_ = 0;
  size_t next_bytes_;
};

class KernelTrainingPlan : public ForwardPlan {
 public:
  KernelTrainingPlan(const CudaContext& context, const BatchNormParams& params, BatchNormTail tail, const Descs& inputs,
                     Descs plan_outputs)
      : ForwardPlan(context, params, tail, inputs, std::move(plan_outputs)) {
    ReserveScratch(BatchNormScratchBytes(context, view_));
  }

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    const Operands t = OperandsOf(args);
    LaunchBatchStatistics(context(), view_, t.x, params_.epsilon, t.mean, t.inverse_std, RunningOf(t), args,
                          args.scratch);
    Normalize(t, t.mean, {t.inverse_std});
  }
};

class PredictionPlan : public ForwardPlan {
 public:
  using ForwardPlan::ForwardPlan;

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    const Operands t = OperandsOf(args);
    Normalize(t, t.running_mean, {t.running_variance, true, params_.epsilon});
  }
};

PlanPtr PrepareForward(const CudaContext& context, const BatchNormParams& params, BatchNormTail tail,
                       const Descs& inputs, Descs outputs) {
  outputs[0] = ImageForm(outputs[0]);
  if (!params.training) return std::make_shared<PredictionPlan>(context, params, tail, inputs, std::move(outputs));
  SetInverseStdForm(&outputs[2]);
  if (tail != BatchNormTail::kNone) SetMaskForm(&outputs[3]);
  const Shape image = CudnnImage(inputs[0]);
  if (!image.empty()) {
    BatchNormForwardGraph graph = MakeBatchNormForward(inputs[0].dtype, image, tail);
    if (std::shared_ptr<GraphPlan> plan = context.planner->Plan(graph.graph)) {
      return std::make_shared<GraphTrainingPlan>(context, params, tail, inputs, std::move(outputs), std::move(graph),
                                                 std::move(plan));
    }
  }
  return std::make_shared<KernelTrainingPlan>(context, params, tail, inputs, std::move(outputs));
}

}  // namespace

PlanPtr PrepareBatchNorm(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  const auto& params = std::get<BatchNormParams>(op.params);
  const BatchNormTail tail = params.relu ? BatchNormTail::kRelu : BatchNormTail::kNone;
  return PrepareForward(context, params, tail, inputs, std::move(outputs));
}

PlanPtr PrepareBatchNormAddRelu(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareForward(context, std::get<BatchNormParams>(op.params), BatchNormTail::kAddRelu, inputs,
                        std::move(outputs));
}

}  // namespace residua::cuda
