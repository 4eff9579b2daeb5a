// Convolution: x [n, ci, h, w], w [co, ci / groups, kh, kw], b [co] -> y [n, co, oh, ow]; with a sum and ReLU on
// request.
#include "cpu/conv2d_algorithm.h"
#include "cpu/conv2d_matrix.h"
#include "cpu/conv2d_merged_groups.h"
#include "cpu/conv2d_register_tiles.h"
#include "cpu/conv2d_transposed.h"
#include "cpu/conv2d_winograd.h"
#include "cpu/keep_nan.h"
#include "cpu/primitive_plan.h"

namespace residua::cpu {
namespace {

using Forward = dnnl::convolution_forward;

// The form in which the weights would best be kept; bytes 0 where theirs is as good. Only blocked formats of the
// weights' own shape are kept: Winograd's transformed weights and split groups are made anew on each run.
TensorDesc PreferredWeights(const TensorDesc& w, const MemoryDesc& wanted) {
  TensorDesc preferred;
  if (!w.plain() || DnnlType(w.dtype) != DataTypeOf(wanted) || !BlockingOf(wanted).valid || IsPlainInMemory(wanted))
    return preferred;
  if (DimsOf(wanted) != Dims(w.shape.begin(), w.shape.end())) return preferred;
  preferred = w;
  SetLayout(&preferred, wanted);
  return preferred;
}

// What is done with the result while it is in registers: the sum with what lies in y already, ReLU.
dnnl::primitive_attr AttributesOf(const Conv2dParams& p) {
  dnnl::primitive_attr attributes = UserScratchpad();
  dnnl::post_ops after;
  if (p.has_residual) after.append_sum(1.0f);
  if (p.relu) AppendRelu(&after);
  attributes.set_post_ops(after);
  return attributes;
}

// A convolution with ReLU as post-op. Weights that have become NaN, which those of BatchNorm make of NaN statistics,
// come with a bias that is.
class ReluPlan : public PrimitivePlan {
 public:
  using PrimitivePlan::PrimitivePlan;
  void Run(void* const* inputs, void* const* out, void* scratch) override {
    PrimitivePlan::Run(inputs, out, scratch);
    KeepNaN(static_cast<const float*>(inputs[2]), outputs[0].shape[1], out[0], outputs[0].bytes);
  }
};

template <class T>
std::shared_ptr<PrimitivePlan> MakePlan(const CpuContext& context, const Forward::primitive_desc& desc,
                                        const Descs& inputs, Descs plan_outputs) {
  return std::make_shared<T>(context, Forward(desc), desc.scratchpad_desc(), inputs, std::move(plan_outputs));
}

// Conv2d and Conv2dFused, whose residual is the last input.
class ForwardMaker {
 public:
  ForwardMaker(const CpuContext& context, const Conv2dParams& p, const Descs& inputs, const Descs& outputs,
               bool has_bias)
      : context_(context),
        p_(p),
        outputs_(outputs),
        has_bias_(has_bias),
        dtype_(inputs[0].dtype),
        whole_(p, inputs[0].shape, inputs[1].shape, outputs[0].shape),
        live_(whole_.LiveTaps()),
        bias_(has_bias ? PlainMemoryDesc(inputs[2].dtype, inputs[2].shape) : MemoryDesc()),
        direct_(DescFor(live_, dnnl::algorithm::convolution_direct)),
        // In a blocked form of the whole weights all elements of a tap lie together.
        whole_weights_(live_.HasAllTaps(whole_) ? direct_.weights_desc()
                                                : DescFor(whole_, dnnl::algorithm::convolution_direct).weights_desc()) {
  }

  const ConvGeometry& geometry() const { return live_; }

  // Weights come in the form that the plans ask for; in 16 bits they are a cast, made for each step, or yet to be cast.
  Descs UsualInputs(Descs inputs) const {
    SetLayout(&inputs[0], direct_.src_desc());
    const TensorDesc preferred = PreferredWeights(inputs[1], whole_weights_);
    if (dtype_ == DType::kFloat32 && preferred.bytes > 0) inputs[1] = preferred;
    if (p_.casts_weights) SetMasterLayout(&inputs[1]);
    if (p_.has_residual) SetLayout(&inputs.back(), direct_.dst_desc());
    return inputs;
  }

  PlanPtr operator()(ConvAlgorithm algorithm, const Descs& inputs) const {
    PlanPtr plan = MakeBy(algorithm, inputs);
    if (!plan) return nullptr;
    plan->preferred_inputs.resize(inputs.size());
    plan->preferred_inputs[1] = PreferredWeights(inputs[1], whole_weights_);
    return plan;
  }

 private:
  // Also in inference: Winograd's convolution then takes blocked weights, as the direct one does. As forward_inference
  // it would want them transformed before, which costs more than it saves unless somebody keeps them so.
  Forward::primitive_desc DescFor(const ConvGeometry& g, dnnl::algorithm algorithm) const {
    return MakeDesc<Forward>(context_.engine, AttributesOf(p_), dnnl::prop_kind::forward_training, algorithm,
                             AnyMemoryDesc(dtype_, g.x), AnyMemoryDesc(dtype_, g.w), bias_, AnyMemoryDesc(dtype_, g.y),
                             g.strides, g.dilation, g.padding, g.padding_after);
  }

  PlanPtr MakeBy(ConvAlgorithm algorithm, const Descs& inputs) const {
    switch (algorithm) {
      case ConvAlgorithm::kDirect:
        return MakeOneDnn(direct_, inputs);
      case ConvAlgorithm::kWinograd:
      case ConvAlgorithm::kWinogradByPoints:
        if (!SuitsWinograd(whole_, live_, dtype_)) return nullptr;
        return WithWinogradCode(dtype_, [&](const auto& code) {
          const auto order = algorithm == ConvAlgorithm::kWinograd ? WinogradOrder::kTiles : WinogradOrder::kPoints;
          return MakeWinogradForward(order, code, context_, p_, live_, direct_.src_desc(), direct_.dst_desc(), inputs,
                                     outputs_, has_bias_);
        });
      case ConvAlgorithm::kLibraryWinograd:
        if (!live_.SuitsWinograd() || dtype_ != DType::kFloat32) return nullptr;
        return MakeOneDnn(DescFor(live_, dnnl::algorithm::convolution_winograd), inputs);
      case ConvAlgorithm::kMatrix:
        if (!SuitsMatrix(live_, dtype_)) return nullptr;
        return MakeMatrixForward(context_, p_, whole_, live_, direct_.src_desc(), direct_.dst_desc(), inputs, outputs_,
                                 has_bias_);
      case ConvAlgorithm::kMergedGroups:
        return MakeMerged(inputs);
      case ConvAlgorithm::kTransposed:
        if (!SuitsTransposed(p_, whole_, has_bias_)) return nullptr;
        return MakeTransposed(context_, p_, inputs, outputs_);
      case ConvAlgorithm::kRegisterTiles:
        if (!SuitsRegisterTiles(whole_, live_, dtype_, true)) return nullptr;
        return MakeRegisterTilesForward(context_, p_, live_, inputs, outputs_, has_bias_);
      case ConvAlgorithm::kTapProducts:
      case ConvAlgorithm::kOuterProducts:
      case ConvAlgorithm::kPlaneProducts:
        break;
    }
    return nullptr;
  }

  PlanPtr MakeMerged(const Descs& inputs) const {
    const auto make = [this](const Conv2dParams& p, const Descs& merged_inputs, const Descs& outputs) {
      return ForwardMaker(context_, p, merged_inputs, outputs, has_bias_).MakeBy(ConvAlgorithm::kDirect, merged_inputs);
    };
    return MakeWithMergedWeights(context_, p_, whole_, inputs, outputs_, make);
  }

  PlanPtr MakeOneDnn(const Forward::primitive_desc& desc, const Descs& inputs) const {
    const bool checks_bias = p_.relu && has_bias_ && inputs[2].dtype == DType::kFloat32;
    const auto plan = checks_bias ? MakePlan<ReluPlan>(context_, desc, inputs, outputs_)
                                  : MakePlan<PrimitivePlan>(context_, desc, inputs, outputs_);
    plan->AddInput(DNNL_ARG_SRC, 0, desc.src_desc());
    if (live_.HasAllTaps(whole_))
      plan->AddInput(DNNL_ARG_WEIGHTS, 1, desc.weights_desc());
    else
      plan->AddPartInput(DNNL_ARG_WEIGHTS, 1, live_.TapOffsets(), desc.weights_desc());
    if (has_bias_) plan->AddInput(DNNL_ARG_BIAS, 2, bias_);
    plan->AddOutput(DNNL_ARG_DST, 0, desc.dst_desc());
    if (p_.has_residual) plan->AddSummand(inputs.size() - 1, 0);
    return plan;
  }

  const CpuContext& context_;
  Conv2dParams p_;
  const Descs& outputs_;
  bool has_bias_;
  DType dtype_;
  ConvGeometry whole_, live_;
  MemoryDesc bias_;
  Forward::primitive_desc direct_;
  MemoryDesc whole_weights_;
};

PlanPtr PrepareForward(const CpuContext& context, const Conv2dParams& p, const Descs& inputs, const Descs& outputs,
                       bool has_bias) {
  const ForwardMaker make(context, p, inputs, outputs, has_bias);
  const bool is_fused = p.relu || p.has_residual;  // as in inference alone
  const char* name = is_fused ? "conv2dFused" : "conv2d";
  const auto usual_inputs = [&] { return make.UsualInputs(inputs); };
  return PlanConvolution(context, {name, make.geometry(), inputs, usual_inputs, is_fused}, make);
}

}  // namespace

PlanPtr PrepareConv2d(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  Conv2dParams p = std::get<Conv2dParams>(op.params);
  p.relu = p.has_residual = 0;  // belong to Conv2dFused
  return PrepareForward(context, p, inputs, outputs, inputs.size() > 2);
}

PlanPtr PrepareConv2dFused(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareForward(context, std::get<Conv2dParams>(op.params), inputs, outputs, true);
}

}  // namespace residua::cpu
