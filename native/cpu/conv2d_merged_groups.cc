// Grouped convolutions with groups merged until they fill vectors. Groups of four channels leave half of a vector of
// eight unused, and oneDNN has no kernels of its own for them: it multiplies matrices group by group, up to a hundred
// times slower. The same convolution with `merged` times fewer groups has weights that are 0 outside of the blocks on
// the diagonal, [merged * out, merged * in] for each tap:
//
//   A 0     A, B [out, in]: weights of two groups
//   0 B
//
// It does `merged` times the multiplications, at the full speed of a dense convolution. Of its weights' gradient the
// blocks are kept.
//
// Infinities and NaN spread over the groups that are merged.
#include "cpu/conv2d_merged_groups.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "cpu/channel_blocks.h"

namespace residua::cpu {
namespace {

constexpr int64_t kMostMerged = 16;
constexpr int64_t kGrain = 64;  // rows of weights a thread copies at least

// The weights of the groups [co, row] and of the merged ones [co, merged * row], both plain; row = ci / groups * kh *
// kw.
class MergedRows {
 public:
  MergedRows(const TensorDesc& weights, int64_t groups, int64_t merged)
      : rows_(weights.shape[0]),
        rows_of_group_(rows_ / groups),
        merged_(merged),
        row_bytes_(weights.shape[1] * weights.shape[2] * weights.shape[3] *
                   static_cast<int64_t>(SizeOf(weights.dtype))) {}

  void Spread(const void* weights, void* merged) const {
    const char* from = static_cast<const char*>(weights);
    char* to = static_cast<char*>(merged);
    ForEachRow([&](int64_t row) {
      std::memset(to + row * merged_ * row_bytes_, 0, static_cast<size_t>(merged_ * row_bytes_));
      std::memcpy(to + OffsetInMerged(row), from + row * row_bytes_, static_cast<size_t>(row_bytes_));
    });
  }

  void Gather(const void* merged, void* weights) const {
    const char* from = static_cast<const char*>(merged);
    char* to = static_cast<char*>(weights);
    ForEachRow([&](int64_t row) {
      std::memcpy(to + row * row_bytes_, from + OffsetInMerged(row), static_cast<size_t>(row_bytes_));
    });
  }

 private:
  int64_t OffsetInMerged(int64_t row) const { return (row * merged_ + row / rows_of_group_ % merged_) * row_bytes_; }

  template <class Body>
  void ForEachRow(const Body& body) const {
    ParallelFor(rows_, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) body(row);
    });
  }

  int64_t rows_, rows_of_group_, merged_, row_bytes_;
};

TensorDesc MergedDesc(const TensorDesc& weights, int64_t merged) {
  Shape shape = weights.shape;
  shape[1] *= merged;
  return PlainDesc(weights.dtype, shape);
}

Conv2dParams MergedParams(Conv2dParams params, int64_t merged) {
  params.groups /= static_cast<int32_t>(merged);
  return params;
}

// Base of both: runs `plan`, the merged convolution, on scratch after its own.
class MergedPlan : public CpuPlan {
 public:
  MergedPlan(const TensorDesc& weights, const Conv2dParams& params, int64_t merged, PlanPtr plan)
      : rows_(weights, params.groups, merged), plan_(std::move(plan)) {
    outputs = plan_->outputs;
    alias = plan_->alias;
    const TensorDesc desc = MergedDesc(weights, merged);
    merged_at_ = TakeScratch(&scratch_bytes, desc.bytes);
    plan_scratch_at_ = TakeScratch(&scratch_bytes, plan_->scratch_bytes);
  }

  std::string Algorithm() const override { return "mergedGroups:" + plan_->Algorithm(); }

 protected:
  MergedRows rows_;
  PlanPtr plan_;
  size_t merged_at_ = 0, plan_scratch_at_ = 0;
};

class MergedWeightsPlan : public MergedPlan {
 public:
  MergedWeightsPlan(const CpuContext& context, const Descs& inputs, const Conv2dParams& params, int64_t merged,
                    PlanPtr plan)
      : MergedPlan(inputs[1], params, merged, std::move(plan)),
        reorders_(context.engine, context.stream, inputs.size()),
        input_count_(inputs.size()) {
    reorders_.Add(1, MemoryDescOf(inputs[1]), PlainMemoryDesc(inputs[1].dtype, inputs[1].shape), &scratch_bytes);
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    char* base = static_cast<char*>(scratch);
    const void* const* read_from = reorders_.Run(inputs, scratch);
    rows_.Spread(read_from[1], base + merged_at_);
    std::vector<void*> merged_inputs(inputs, inputs + input_count_);
    merged_inputs[1] = base + merged_at_;
    plan_->Run(merged_inputs.data(), out, base + plan_scratch_at_);
  }

 private:
  InputReorders reorders_;
  size_t input_count_;
};

class MergedGradientPlan : public MergedPlan {
 public:
  MergedGradientPlan(const CpuContext& context, const TensorDesc& dw, const Conv2dParams& params, int64_t merged,
                     PlanPtr plan)
      : MergedPlan(dw, params, merged, std::move(plan)), stream_(context.stream) {
    const TensorDesc& produced = outputs[0];
    produced_at_ = merged_at_;
    if (!produced.plain()) {
      produced_at_ = TakeScratch(&scratch_bytes, produced.bytes);
      to_plain_.emplace(context.engine, MemoryDescOf(produced), PlainMemoryDesc(produced.dtype, produced.shape),
                        &scratch_bytes);
    }
    outputs[0] = PlainDesc(dw.dtype, dw.shape);
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    char* base = static_cast<char*>(scratch);
    std::vector<void*> merged_outputs(out, out + outputs.size());
    merged_outputs[0] = base + produced_at_;
    plan_->Run(inputs, merged_outputs.data(), base + plan_scratch_at_);
    if (to_plain_) to_plain_->Run(stream_, base + produced_at_, base + merged_at_, base);
    rows_.Gather(base + merged_at_, out[0]);
  }

 private:
  dnnl::stream stream_;
  size_t produced_at_;
  std::optional<ScratchReorder> to_plain_;
};

// How many groups are merged into one: the fewest after which the channels of a group, read and written, are whole
// vectors of the processor, else all where they are few. 1 where merging is not for this convolution: it is not
// grouped, its groups are whole vectors already, or each reads and writes one channel (depthwise), for which the
// library has kernels.
int64_t GroupsToMerge(const ConvGeometry& geometry) {
  if (geometry.w.size() != 5) return 1;
  const int64_t groups = geometry.w[0], out = geometry.w[1], in = geometry.w[2], block = VectorBlock();
  if (out == 1 && in == 1) return 1;
  const auto fills_vectors = [&](int64_t merged) { return out * merged % block == 0 && in * merged % block == 0; };
  for (int64_t merged = 1; merged <= std::min(groups, kMostMerged); ++merged) {
    if (groups % merged == 0 && fills_vectors(merged)) return merged;
  }
  return groups <= kMostMerged ? groups : 1;
}

}  // namespace

PlanPtr MakeWithMergedWeights(const CpuContext& context, const Conv2dParams& params, const ConvGeometry& geometry,
                              const Descs& inputs, const Descs& outputs, const MakeMergedPlan& make) {
  const int64_t merged = GroupsToMerge(geometry);
  if (merged == 1) return nullptr;
  Descs merged_inputs = inputs;
  merged_inputs[1] = MergedDesc(inputs[1], merged);
  PlanPtr plan = make(MergedParams(params, merged), merged_inputs, outputs);
  return std::make_shared<MergedWeightsPlan>(context, inputs, params, merged, std::move(plan));
}

PlanPtr MakeWithMergedGradient(const CpuContext& context, const Conv2dParams& params, const ConvGeometry& geometry,
                               const Descs& inputs, const Descs& outputs, const MakeMergedPlan& make) {
  const int64_t merged = GroupsToMerge(geometry);
  if (merged == 1) return nullptr;
  Descs merged_outputs = outputs;
  merged_outputs[0] = MergedDesc(outputs[0], merged);
  PlanPtr plan = make(MergedParams(params, merged), inputs, merged_outputs);
  return std::make_shared<MergedGradientPlan>(context, outputs[0], params, merged, std::move(plan));
}

}  // namespace residua::cpu
