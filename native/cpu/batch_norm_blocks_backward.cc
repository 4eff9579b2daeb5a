// BatchNorm of images in blocks of channels by residua's own kernels: the gradients.
#include "cpu/batch_norm_blocks.h"
#include "cpu/batch_norm_image.h"

namespace residua::cpu {
namespace {

// With d what the ReLU lets through of dy, or of dy and another gradient of y, and x' = (x - mean) / sqrt(variance +
// epsilon), in training
//   dx = gamma / sqrt(variance + epsilon) * (d - mean(d) - x' * mean(d * x')), dgamma = sum(d * x'), dbeta = sum(d);
// otherwise mean and variance are constants, and dx = gamma / sqrt(variance + epsilon) * d.
template <class Element>
class BlockedBatchNormBackward : public CpuPlan {
 public:
  BlockedBatchNormBackward(const CpuContext& context, const BatchNormCode<Element>& code, const BatchNormParams& params,
                           const Descs& inputs, Descs plan_outputs, bool has_residual)
      : code_(code),
        params_(params),
        image_(*NormImage::Of(inputs[0], code.lanes)),
        has_residual_(has_residual),
        has_mask_(inputs.size() > 6),
        has_more_(inputs.size() > 7),
        reorders_(context.engine, context.stream, inputs.size()),
        sums_(image_, &scratch_bytes),
        products_(image_, &scratch_bytes),
        vectors_(image_, 4, &scratch_bytes) {
    outputs = std::move(plan_outputs);
    const MemoryDesc layout = MemoryDescOf(inputs[0]);
    SetLayout(&outputs[0], layout);
    if (has_residual_) SetLayout(&outputs[1], layout);
    if (SameLayout(inputs[1], outputs[0])) overwritable = {1};
    reorders_.Add(1, MemoryDescOf(inputs[1]), layout, &scratch_bytes);
    if (has_more_) reorders_.Add(7, MemoryDescOf(inputs[7]), layout, &scratch_bytes);
    if (has_mask_) CheckMask(inputs[6], layout);
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    const void* const* read_from = reorders_.Run(inputs, scratch);
    const Element *x = static_cast<const Element*>(inputs[0]), *dy = static_cast<const Element*>(read_from[1]);
    const Element* more_dy = has_more_ ? static_cast<const Element*>(read_from[7]) : nullptr;
    const uint8_t* mask = has_mask_ ? static_cast<const uint8_t*>(inputs[6]) : nullptr;
    Element *dx = static_cast<Element*>(out[0]), *d = has_residual_ ? static_cast<Element*>(out[1]) : nullptr;
    PadMean(static_cast<const float*>(inputs[4]), vectors_.In(scratch, 0));
    const auto task = [&](int64_t block, int64_t group) {
      const int64_t at = image_.At(group, block);
      return NormGradientTask<Element>{image_.Box(group, 1),
                                       x + at,
                                       dy + at,
                                       more_dy ? more_dy + at : nullptr,
                                       mask ? mask + at / 8 : nullptr,
                                       vectors_.In(scratch, 0) + block * image_.lanes};
    };
    const auto add_up = [&](int64_t block, int64_t group) {
      code_.gradient_sums(task(block, group), d ? d + image_.At(group, block) : nullptr,
                          sums_.In(scratch, group, block), products_.In(scratch, group, block));
    };
    const auto settle = [&](int64_t block) { Settle(block, inputs, out, scratch); };
    const auto write = [&](int64_t block, int64_t group) {
      NormGradientTask<Element> of = task(block, group);
      of.box = image_.Box(group, -1);
      if (d) of = {of.box, of.x, d + image_.At(group, block), nullptr, nullptr, of.mean};
      const int64_t channel = block * image_.lanes;
      const float* of_x = params_.training ? vectors_.In(scratch, 2) + channel : nullptr;
      code_.gradient(of, vectors_.In(scratch, 1) + channel, of_x, vectors_.In(scratch, 3) + channel,
                     dx + image_.At(group, block));
    };
    ForEachBlock(image_, add_up, settle, write);
  }

  std::string Algorithm() const override { return kBlockedBatchNormName; }

 private:
  // The mask holds a bit a value, in the order of x's layout: it must be that of this very x.
  void CheckMask(const TensorDesc& mask, const MemoryDesc& x) const {
    const auto* forward = dynamic_cast<const WorkspaceLayout*>(mask.layout.get());
    const auto bytes = static_cast<size_t>(image_.MaskBytes());
    if (forward && forward->window().empty() && forward->src() == x && mask.bytes == bytes) return;
    throw Error(ErrorCode::kNative, std::string(has_residual_ ? "batchNormAddReluBackward" : "batchNormBackward") +
                                        " expected the x and the mask of one batchNorm.");
  }

  void PadMean(const float* mean, float* padded) const {
    std::fill(std::copy(mean, mean + image_.channels, padded), padded + image_.whole_channels(), 0.0f);
  }

  // dgamma and dbeta of a block, and of what its dx is made.
  void Settle(int64_t block, void* const* inputs, void* const* out, void* scratch) const {
    float *scale = vectors_.In(scratch, 1), *of_x = vectors_.In(scratch, 2), *offset = vectors_.In(scratch, 3);
    const float *gamma = static_cast<const float*>(inputs[2]), *variance = static_cast<const float*>(inputs[5]);
    float* dgamma = static_cast<float*>(out[has_residual_ ? 2 : 1]);
    float* dbeta = static_cast<float*>(out[has_residual_ ? 3 : 2]);
    const double count = static_cast<double>(image_.images * image_.positions);
    for (int64_t c = block * image_.lanes; c < (block + 1) * image_.lanes; ++c) {
      scale[c] = of_x[c] = offset[c] = 0;
      if (c >= image_.channels) continue;
      double sum = 0, product = 0;
      for (int64_t group = 0; group < image_.groups(); ++group) {
        sum += sums_.In(scratch, group, block)[c % image_.lanes];
        product += products_.In(scratch, group, block)[c % image_.lanes];
      }
      const double inverse = 1 / std::sqrt(static_cast<double>(variance[c]) + params_.epsilon);
      dgamma[c] = static_cast<float>(product * inverse);
      dbeta[c] = static_cast<float>(sum);
      scale[c] = static_cast<float>(gamma[c] * inverse);
      of_x[c] = static_cast<float>(-gamma[c] * inverse * inverse * inverse * product / count);
      offset[c] = static_cast<float>(-gamma[c] * inverse * sum / count);
    }
  }

  const BatchNormCode<Element>& code_;
  BatchNormParams params_;
  NormImage image_;
  bool has_residual_, has_mask_, has_more_;
  InputReorders reorders_;
  GroupVectors sums_, products_;  // of each group of images
  ChannelVectors vectors_;        // mean, scale, of_x, offset
};

}  // namespace

PlanPtr MakeBlockedBatchNormBackward(const CpuContext& context, const BatchNormParams& params, const Descs& inputs,
                                     Descs outputs, bool has_residual) {
  return WithBatchNormCode(inputs[0].dtype, [&](const auto& code) -> PlanPtr {
    return std::make_shared<BlockedBatchNormBackward<ElementOf<decltype(code)>>>(context, code, params, inputs,
                                                                                 std::move(outputs), has_residual);
  });
}

}  // namespace residua::cpu
