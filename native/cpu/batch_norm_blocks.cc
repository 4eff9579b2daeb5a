// BatchNorm of images in blocks of channels by residua's own kernels: the forward pass.
#include "cpu/batch_norm_blocks.h"

#include "cpu/batch_norm_image.h"

namespace residua::cpu {
namespace {

// The running statistics' new values.
float Moved(float running, float batch, float momentum) { return momentum * running + (1 - momentum) * batch; }

template <class Element>
class BlockedBatchNorm : public CpuPlan {
 public:
  BlockedBatchNorm(const CpuContext& context, const BatchNormCode<Element>& code, const BatchNormParams& params,
                   const Descs& inputs, Descs plan_outputs, bool has_residual)
      : code_(code),
        params_(params),
        image_(*NormImage::Of(inputs[0], code.lanes)),
        has_residual_(has_residual),
        reorders_(context.engine, context.stream, inputs.size()),
        means_(image_, &scratch_bytes),
        squares_(image_, &scratch_bytes),
        vectors_(image_, 3, &scratch_bytes) {
    outputs = std::move(plan_outputs);
    const MemoryDesc layout = MemoryDescOf(inputs[0]);
    SetLayout(&outputs[0], layout);
    if (has_residual_) {
      if (SameLayout(inputs[1], outputs[0])) overwritable = {1};
      reorders_.Add(1, MemoryDescOf(inputs[1]), layout, &scratch_bytes);
    }
    if (outputs.size() == 4) {
      outputs[3].layout = std::make_shared<WorkspaceLayout>(layout, layout);
      outputs[3].bytes = static_cast<size_t>(image_.MaskBytes());
    }
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    const Element* x = static_cast<const Element*>(inputs[0]);
    const void* const* read_from = reorders_.Run(inputs, scratch);
    const Element* residual = has_residual_ ? static_cast<const Element*>(read_from[1]) : nullptr;
    const Statistics statistics = StatisticsOf(inputs, out);
    const auto moments = [&](int64_t block, int64_t group) {
      if (!params_.training) return;
      code_.moments(image_.Box(group, 1), x + image_.At(group, block), means_.In(scratch, group, block),
                    squares_.In(scratch, group, block));
    };
    const auto settle = [&](int64_t block) { Settle(block, statistics, scratch); };
    const auto normalise = [&](int64_t block, int64_t group) {
      const int64_t at = image_.At(group, block), channel = block * image_.lanes;
      code_.normalise(
          {image_.Box(group, -1), x + at, residual ? residual + at : nullptr, static_cast<Element*>(out[0]) + at,
           outputs.size() == 4 ? static_cast<uint8_t*>(out[3]) + at / 8 : nullptr, has_residual_ || params_.relu != 0,
           vectors_.In(scratch, 0) + channel, vectors_.In(scratch, 1) + channel, vectors_.In(scratch, 2) + channel});
    };
    ForEachBlock(image_, moments, settle, normalise);
  }

  std::string Algorithm() const override { return kBlockedBatchNormName; }

 private:
  struct Statistics {
    const float *gamma, *beta;
    float *running_mean, *running_variance;
    float *mean, *variance;  // the batch's; null outside training
  };

  Statistics StatisticsOf(void* const* inputs, void* const* out) const {
    void* const* first = inputs + (has_residual_ ? 2 : 1);
    const auto at = [](void* values) { return static_cast<float*>(values); };
    return {at(first[0]),
            at(first[1]),
            at(first[2]),
            at(first[3]),
            params_.training ? at(out[1]) : nullptr,
            params_.training ? at(out[2]) : nullptr};
  }

  // What the channels of a block are normalised with, and the running statistics. Channels that fill up a block stay 0.
  void Settle(int64_t block, const Statistics& s, void* scratch) const {
    float *mean = vectors_.In(scratch, 0), *scale = vectors_.In(scratch, 1), *shift = vectors_.In(scratch, 2);
    const int64_t begin = block * image_.lanes, end = begin + image_.lanes;
    for (int64_t c = begin; c < end; ++c) mean[c] = scale[c] = shift[c] = 0;
    for (int64_t c = begin; c < std::min(end, image_.channels); ++c) {
      if (params_.training) SettleBatch(c, s, scratch);
      mean[c] = (params_.training ? s.mean : s.running_mean)[c];
      const float variance = (params_.training ? s.variance : s.running_variance)[c];
      scale[c] = s.gamma[c] / std::sqrt(variance + params_.epsilon);
      shift[c] = s.beta[c];
    }
  }

  // The biased variance normalises, the unbiased one enters the running variance.
  void SettleBatch(int64_t c, const Statistics& s, void* scratch) const {
    const int64_t block = c / image_.lanes, lane = c % image_.lanes;
    const double count = static_cast<double>(image_.images * image_.positions);
    double mean = 0, squares = 0;
    for (int64_t group = 0; group < image_.groups(); ++group) {
      mean += means_.In(scratch, group, block)[lane] * (static_cast<double>(image_.PositionsIn(group)) / count);
    }
    for (int64_t group = 0; group < image_.groups(); ++group) {
      const double difference = means_.In(scratch, group, block)[lane] - mean;
      squares += squares_.In(scratch, group, block)[lane];
      squares += difference * difference * static_cast<double>(image_.PositionsIn(group));
    }
    s.mean[c] = static_cast<float>(mean);
    s.variance[c] = static_cast<float>(squares / count);
    const double unbiased = squares / std::max(count - 1, 1.0);
    s.running_mean[c] = Moved(s.running_mean[c], s.mean[c], params_.momentum);
    s.running_variance[c] = Moved(s.running_variance[c], static_cast<float>(unbiased), params_.momentum);
  }

  const BatchNormCode<Element>& code_;
  BatchNormParams params_;
  NormImage image_;
  bool has_residual_;
  InputReorders reorders_;
  GroupVectors means_, squares_;  // of each group of images
  ChannelVectors vectors_;        // mean, scale, shift
};

}  // namespace

bool SuitsBlockedBatchNorm(const TensorDesc& x) {
  const auto suits = [&x](const auto* code) { return code && NormImage::Of(x, code->lanes).has_value(); };
  if (x.dtype == DType::kBFloat16) return suits(BatchNormInBFloat16());
  return x.dtype == DType::kFloat32 && suits(BatchNormInFloat32());
}

PlanPtr MakeBlockedBatchNorm(const CpuContext& context, const BatchNormParams& params, const Descs& inputs,
                             Descs outputs, bool has_residual) {
  return WithBatchNormCode(inputs[0].dtype, [&](const auto& code) -> PlanPtr {
    return std::make_shared<BlockedBatchNorm<ElementOf<decltype(code)>>>(context, code, params, inputs,
                                                                         std::move(outputs), has_residual);
  });
}

}  // namespace residua::cpu
