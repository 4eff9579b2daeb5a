// The convolution's gradients: of the data (dy, w -> dx) and of the weights (x, dy -> dw, db).
#include <algorithm>
#include <iterator>

#include "cpu/channel_blocks.h"
#include "cpu/conv2d_algorithm.h"
#include "cpu/conv2d_matrix.h"
#include "cpu/conv2d_merged_groups.h"
#include "cpu/conv2d_outer_products.h"
#include "cpu/conv2d_plane_products.h"
#include "cpu/conv2d_register_tiles.h"
#include "cpu/conv2d_tap_products.h"
#include "cpu/conv2d_winograd.h"
#include "cpu/primitive_plan.h"

namespace residua::cpu {
namespace {

using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;

// oneDNN makes backward descriptors from the forward one.
dnnl::convolution_forward::primitive_desc ForwardHint(const CpuContext& context, const ConvGeometry& geometry,
                                                      DType dtype) {
  return MakeDesc<dnnl::convolution_forward>(
      context.engine, UserScratchpad(), dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct,
      AnyMemoryDesc(dtype, geometry.x), AnyMemoryDesc(dtype, geometry.w), AnyMemoryDesc(dtype, geometry.y),
      geometry.strides, geometry.dilation, geometry.padding, geometry.padding_after);
}

// Whether oneDNN stops the process while it looks for a form of the data's gradient: 3.0 to 3.11 divide by zero,
// whatever the image, where a 1x1 kernel with a stride joins these numbers of channels (est_eff_1x1 in
// jit_brgemm_conv_bwd_utils.cpp). ResNet-50 has two of them.
bool DividesByZero(const ConvGeometry& g) {
  if (DNNL_VERSION_MAJOR < 3 || g.strides == Dims{1, 1}) return false;
  const Dims kernel(g.w.end() - 4, g.w.end());  // of one group: [co, ci, kh, kw]
  if (kernel[2] * kernel[3] != 1) return false;
  constexpr int64_t kChannels[][2] = {{2048, 1024}, {512, 1024}, {1024, 256}, {1024, 512}, {2048, 512}};
  return std::any_of(std::begin(kChannels), std::end(kChannels),
                     [&](const auto& of) { return kernel[0] == of[0] && kernel[1] == of[1]; });
}

bool IsInVectorBlocks(const MemoryDesc& image) {
  const auto order = ChannelBlocksOf(image);
  return order && (order->block == VectorBlock() || order->positions == 1) && order->channels % VectorBlock() == 0;
}

// Whether the data's gradient of a strided convolution stays in blocks of channels, as `forward` has its images,
// whatever oneDNN 3.x likes best.
bool KeepsBlocks(const ConvGeometry& g, const dnnl::convolution_forward::primitive_desc& forward) {
  if (DNNL_VERSION_MAJOR < 3 || g.strides == Dims{1, 1} || g.w.size() != 4) return false;
  const bool fills_blocks = g.x[1] % VectorBlock() == 0 && g.y[1] % VectorBlock() == 0;
  return fills_blocks && IsInVectorBlocks(forward.src_desc()) && IsInVectorBlocks(forward.dst_desc());
}

class DataMaker {
 public:
  DataMaker(const CpuContext& context, const Conv2dParams& p, const Descs& inputs, const Descs& outputs)
      : context_(context),
        p_(p),
        outputs_(outputs),
        dtype_(inputs[0].dtype),
        whole_(p, outputs[0].shape, inputs[1].shape, inputs[0].shape),
        live_(whole_.LiveTaps()),
        hint_(ForwardHint(context, live_, dtype_)),
        direct_(DescFor(dnnl::algorithm::convolution_direct)) {}

  const ConvGeometry& geometry() const { return live_; }

  // The forward pass has asked for the weights in its own form; in 16 bits they are a cast, made for each step, or yet
  // to be cast.
  Descs UsualInputs(Descs inputs) const {
    SetLayout(&inputs[0], direct_.diff_dst_desc());
    const MemoryDesc weights = ForwardHint(context_, whole_, dtype_).weights_desc();
    const bool is_kept = dtype_ == DType::kFloat32 && DimsOf(weights) == inputs[1].shape && BlockingOf(weights).valid;
    if (is_kept) SetLayout(&inputs[1], weights);
    if (p_.casts_weights) SetMasterLayout(&inputs[1]);
    return inputs;
  }

  PlanPtr operator()(ConvAlgorithm algorithm, const Descs& inputs) const {
    switch (algorithm) {
      case ConvAlgorithm::kDirect:
        return MakeOneDnn(direct_, inputs);
      case ConvAlgorithm::kWinograd:
      case ConvAlgorithm::kWinogradByPoints:
        if (!SuitsWinograd(whole_, live_, dtype_)) return nullptr;
        return WithWinogradCode(dtype_, [&](const auto& code) {
          const auto order = algorithm == ConvAlgorithm::kWinograd ? WinogradOrder::kTiles : WinogradOrder::kPoints;
          return MakeWinogradBackwardData(order, code, context_, live_, direct_.diff_src_desc(),
                                          direct_.diff_dst_desc(), inputs, outputs_);
        });
      case ConvAlgorithm::kLibraryWinograd:
        if (!live_.SuitsWinograd() || dtype_ != DType::kFloat32) return nullptr;
        return MakeOneDnn(DescFor(dnnl::algorithm::convolution_winograd), inputs);
      case ConvAlgorithm::kMatrix:
        if (!SuitsMatrix(live_, dtype_)) return nullptr;
        return MakeMatrixBackwardData(context_, whole_, live_, direct_.diff_src_desc(), direct_.diff_dst_desc(), inputs,
                                      outputs_);
      case ConvAlgorithm::kMergedGroups:
        return MakeMerged(inputs);
      case ConvAlgorithm::kRegisterTiles:
        if (!SuitsRegisterTiles(whole_, live_, dtype_, false)) return nullptr;
        return MakeRegisterTilesBackwardData(context_, live_, inputs, outputs_);
      case ConvAlgorithm::kTapProducts:
      case ConvAlgorithm::kOuterProducts:
      case ConvAlgorithm::kPlaneProducts:
      case ConvAlgorithm::kTransposed:
        break;
    }
    return nullptr;
  }

 private:
  BackwardData::primitive_desc DescFor(dnnl::algorithm algorithm) const {
    return MakeDescWithHint<BackwardData>(context_.engine, UserScratchpad(), hint_, algorithm, ImageDesc(live_.x),
                                          AnyMemoryDesc(dtype_, live_.w), ImageDesc(live_.y), live_.strides,
                                          live_.dilation, live_.padding, live_.padding_after);
  }

  // As oneDNN likes it best; in blocks of channels, for which it does not divide by zero, where it would, and where it
  // would take the image apart, as 3.x does with a stride (brgconv_strided), and put it together for the next op.
  MemoryDesc ImageDesc(const Dims& shape) const {
    using Tag = dnnl::memory::format_tag;
    if (!DividesByZero(live_) && !KeepsBlocks(live_, hint_)) return AnyMemoryDesc(dtype_, shape);
    return MemoryDesc(shape, DnnlType(dtype_), VectorBlock() == 16 ? Tag::nChw16c : Tag::nChw8c);
  }

  PlanPtr MakeMerged(const Descs& inputs) const {
    const auto make = [this](const Conv2dParams& p, const Descs& merged_inputs, const Descs& outputs) {
      return DataMaker(context_, p, merged_inputs, outputs)(ConvAlgorithm::kDirect, merged_inputs);
    };
    return MakeWithMergedWeights(context_, p_, whole_, inputs, outputs_, make);
  }

  PlanPtr MakeOneDnn(const BackwardData::primitive_desc& desc, const Descs& inputs) const {
    auto plan = std::make_shared<PrimitivePlan>(context_, BackwardData(desc), desc.scratchpad_desc(), inputs, outputs_);
    plan->AddInput(DNNL_ARG_DIFF_DST, 0, desc.diff_dst_desc());
    if (live_.HasAllTaps(whole_))
      plan->AddInput(DNNL_ARG_WEIGHTS, 1, desc.weights_desc());
    else
      plan->AddPartInput(DNNL_ARG_WEIGHTS, 1, live_.TapOffsets(), desc.weights_desc());
    plan->AddOutput(DNNL_ARG_DIFF_SRC, 0, desc.diff_src_desc());
    return plan;
  }

  const CpuContext& context_;
  Conv2dParams p_;
  const Descs& outputs_;
  DType dtype_;
  ConvGeometry whole_, live_;
  dnnl::convolution_forward::primitive_desc hint_;
  BackwardData::primitive_desc direct_;
};

class WeightsMaker {
 public:
  WeightsMaker(const CpuContext& context, const Conv2dParams& p, const Descs& inputs, const Descs& outputs)
      : context_(context),
        p_(p),
        outputs_(outputs),
        has_bias_(outputs.size() > 1),
        dtype_(inputs[0].dtype),
        whole_(p, inputs[0].shape, outputs[0].shape, inputs[1].shape),
        live_(whole_.LiveTaps()),
        diff_bias_(has_bias_ ? PlainMemoryDesc(outputs[1].dtype, outputs[1].shape) : MemoryDesc()),
        direct_(DescFor(live_, dnnl::algorithm::convolution_direct)),
        whole_weights_(live_.HasAllTaps(whole_)
                           ? direct_.diff_weights_desc()
                           : DescFor(whole_, dnnl::algorithm::convolution_direct).diff_weights_desc()) {}

  const ConvGeometry& geometry() const { return live_; }

  Descs UsualInputs(Descs inputs) const {
    SetLayout(&inputs[0], direct_.src_desc());
    SetLayout(&inputs[1], direct_.diff_dst_desc());
    return inputs;
  }

  PlanPtr operator()(ConvAlgorithm algorithm, const Descs& inputs) const {
    switch (algorithm) {
      case ConvAlgorithm::kDirect:
        return MakeOneDnn(direct_, inputs);
      case ConvAlgorithm::kWinograd:
        if (!SuitsWinograd(whole_, live_, dtype_)) return nullptr;
        return WithWinogradCode(dtype_, [&](const auto& code) {
          return MakeWinogradBackwardWeights(code, context_, live_, direct_.src_desc(), direct_.diff_dst_desc(),
                                             MasterLayout(), inputs, outputs_);
        });
      case ConvAlgorithm::kLibraryWinograd:
        if (!live_.SuitsWinograd() || dtype_ != DType::kFloat32) return nullptr;
        return MakeOneDnn(DescFor(live_, dnnl::algorithm::convolution_winograd), inputs);
      case ConvAlgorithm::kTapProducts:
        if (!SuitsTapProducts(live_)) return nullptr;
        return MakeTapProducts(context_, whole_, live_, MasterLayout(), inputs, outputs_);
      case ConvAlgorithm::kOuterProducts:
        if (!SuitsOuterProducts(live_, dtype_)) return nullptr;
        return MakeOuterProducts(context_, whole_, live_, MasterLayout(), inputs, outputs_);
      case ConvAlgorithm::kPlaneProducts:
        if (!SuitsPlaneProducts(whole_, live_, dtype_)) return nullptr;
        return MakePlaneProducts(context_, live_, MasterLayout(), inputs, outputs_);
      case ConvAlgorithm::kMergedGroups:
        return MakeMerged(inputs);
      case ConvAlgorithm::kMatrix:
      case ConvAlgorithm::kTransposed:
      case ConvAlgorithm::kWinogradByPoints:
      case ConvAlgorithm::kRegisterTiles:
        break;
    }
    return nullptr;
  }

 private:
  BackwardWeights::primitive_desc DescFor(const ConvGeometry& g, dnnl::algorithm algorithm) const {
    return MakeDescWithHint<BackwardWeights>(context_.engine, UserScratchpad(), ForwardHint(context_, g, dtype_),
                                             algorithm, AnyMemoryDesc(dtype_, g.x), AnyMemoryDesc(DType::kFloat32, g.w),
                                             diff_bias_, AnyMemoryDesc(dtype_, g.y), g.strides, g.dilation, g.padding,
                                             g.padding_after);
  }

  // Where the optimiser has the weights: as this gradient comes from the direct convolution.
  MemoryDesc MasterLayout() const {
    return BlockingOf(whole_weights_).valid ? whole_weights_ : PlainMemoryDesc(DType::kFloat32, outputs_[0].shape);
  }

  PlanPtr MakeMerged(const Descs& inputs) const {
    const auto make = [this](const Conv2dParams& p, const Descs& merged_inputs, const Descs& outputs) {
      return WeightsMaker(context_, p, merged_inputs, outputs)(ConvAlgorithm::kDirect, merged_inputs);
    };
    return MakeWithMergedGradient(context_, p_, whole_, inputs, outputs_, make);
  }

  PlanPtr MakeOneDnn(const BackwardWeights::primitive_desc& desc, const Descs& inputs) const {
    auto plan =
        std::make_shared<PrimitivePlan>(context_, BackwardWeights(desc), desc.scratchpad_desc(), inputs, outputs_);
    plan->AddInput(DNNL_ARG_SRC, 0, desc.src_desc());
    plan->AddInput(DNNL_ARG_DIFF_DST, 1, desc.diff_dst_desc());
    if (live_.HasAllTaps(whole_)) {
      plan->AddOutput(DNNL_ARG_DIFF_WEIGHTS, 0, desc.diff_weights_desc());
    } else {
      plan->AddPartOutput(DNNL_ARG_DIFF_WEIGHTS, 0, live_.TapOffsets(), desc.diff_weights_desc(), whole_weights_);
    }
    if (has_bias_) plan->AddOutput(DNNL_ARG_DIFF_BIAS, 1, diff_bias_);
    return plan;
  }

  const CpuContext& context_;
  Conv2dParams p_;
  const Descs& outputs_;
  bool has_bias_;
  DType dtype_;
  ConvGeometry whole_, live_;
  MemoryDesc diff_bias_;
  BackwardWeights::primitive_desc direct_;
  MemoryDesc whole_weights_;
};

template <class Maker>
PlanPtr PrepareBackward(const CpuContext& context, const char* name, const Op& op, const Descs& inputs,
                        const Descs& outputs) {
  const Maker make(context, std::get<Conv2dParams>(op.params), inputs, outputs);
  return PlanConvolution(context, {name, make.geometry(), inputs, [&] { return make.UsualInputs(inputs); }}, make);
}

}  // namespace

PlanPtr PrepareConv2dBackwardData(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareBackward<DataMaker>(context, "conv2dBackwardData", op, inputs, outputs);
}

PlanPtr PrepareConv2dBackwardWeights(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareBackward<WeightsMaker>(context, "conv2dBackwardWeights", op, inputs, outputs);
}

}  // namespace residua::cpu
