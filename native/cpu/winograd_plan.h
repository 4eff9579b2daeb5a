// What 3x3 convolutions by Winograd's algorithm have in common, in whatever order they are computed: layouts, what is
// done with the result, the ways to the points and back.
#pragma once
#include <algorithm>
#include <optional>
#include <utility>

#include "cpu/conv2d_winograd.h"
#include "cpu/residual_input.h"
#include "cpu/winograd_kernels.h"

namespace residua::cpu {

constexpr int64_t kWinogradTileGrain = 12;  // tiles that a thread takes at least

// Reads input 0 as `from_layout`, the weights (input 1) and what the epilogue needs; writes output 0 as `to_layout`.
template <class Element>
struct WinogradTask {
  const WinogradCode<Element>& code;
  const CpuContext& context;
  MemoryDesc from_layout, to_layout;
  Dims padding;
  bool rotated;  // the weights, by half a turn
  bool has_bias, relu, has_residual;
};

template <class Element>
class WinogradPlan : public CpuPlan {
 public:
  WinogradPlan(const WinogradTask<Element>& task, const Descs& inputs, Descs plan_outputs)
      : code_(task.code),
        from_(*BlockedImageOf(task.from_layout, code_.block)),
        to_(*BlockedImageOf(task.to_layout, code_.block)),
        scheme_(code_.SchemeFor(from_, to_, task.padding)),
        grid_(GridOver(to_, scheme_.tile_side)),
        summed_(from_.whole_channels()),
        written_(to_.whole_channels()),
        padding_(task.padding),
        weights_(inputs[1], code_.block, task.rotated),
        has_bias_(task.has_bias),
        relu_(task.relu),
        has_residual_(task.has_residual),
        reorders_(task.context.engine, task.context.stream, inputs.size()) {
    outputs = std::move(plan_outputs);
    SetLayout(&outputs[0], task.to_layout);
    reorders_.Add(0, MemoryDescOf(inputs[0]), task.from_layout, &scratch_bytes);
    reorders_.Add(1, MemoryDescOf(inputs[1]), weights_.layout(), &scratch_bytes);
    if (has_bias_) AddBias(inputs[2]);
    if (has_residual_) residual_.emplace(task.context, inputs, this);
  }

  void Run(void* const* inputs, void* const* out, void* scratch) final {
    char* base = static_cast<char*>(scratch);
    const void* const* read_from = reorders_.Run(inputs, scratch);
    const float* bias = has_bias_ ? PadBias(static_cast<const float*>(read_from[2]), base) : nullptr;
    if (residual_) residual_->Run(inputs, out[0], base);
    Convolve(static_cast<const Element*>(read_from[0]), static_cast<const Element*>(read_from[1]), bias, base,
             static_cast<Element*>(out[0]));
  }

 protected:
  // `bias` [written_], or null. The residual lies in `out` already.
  virtual void Convolve(const Element* pixels, const Element* w, const float* bias, char* scratch,
                        Element* out) const = 0;

  template <class T>
  size_t Take(int64_t elements) {
    return TakeScratch(&scratch_bytes, static_cast<size_t>(elements) * sizeof(T));
  }

  int64_t TileBytes() const { return scheme_.points * summed_ * static_cast<int64_t>(sizeof(Element)); }
  int64_t Panels() const { return CeilDivide(written_, code_.panel_columns); }
  // Channels of the result that one product computes, from `first` on.
  int64_t PanelColumns(int64_t first) const { return std::min(code_.panel_columns, written_ - first); }

  // The kernels of all panels: [points, panels][steps of channels read, channels of the panel, kInStep].
  int64_t AllKernelsStep() const { return summed_ * written_ + kPointGap; }  // from point to point
  void TransformAllKernels(const Element* w, Element* kernels) const {
    ParallelFor(to_.blocks(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        const int64_t column = block * code_.block, panel = column / code_.panel_columns * code_.panel_columns;
        Element* to = kernels + panel * summed_ + (column - panel) * kInStep<Element>;
        weights_.Transform(scheme_, w, column, to, PanelColumns(panel), AllKernelsStep());
      }
    });
  }

  // Of tiles first, first + 1, ... (`count`): finds their patches and pixels, and transforms the patches to
  // [points][tiles, channels read].
  void TransformPatches(int64_t first, int64_t count, const Element* pixels, Square* patches, Square* tiles,
                        Element* transformed, int64_t point_step) const {
    const int64_t above = padding_[0] - scheme_.padding, left = padding_[1] - scheme_.padding;
    FindSquares(from_, grid_, scheme_.patch_side, above, left, first, count, patches);
    FindSquares(to_, grid_, scheme_.tile_side, 0, 0, first, count, tiles);
    for (int64_t block = 0; block < from_.blocks(); ++block) {
      scheme_.transform_patches({from_, pixels + block * from_.block_step, patches, count},
                                {transformed + block * code_.block, point_step, summed_});
    }
  }

  // A block of channels of the result, from `channel` on, of `count` tiles.
  void TransformToTiles(const PointValues<const float>& products, int64_t channel, const Square* tiles, int64_t count,
                        const float* bias, Element* out) const {
    Element* pixels = out + channel / code_.block * to_.block_step;
    scheme_.transform_to_tiles(products, {to_, pixels, tiles, count},
                               {bias ? bias + channel : nullptr, has_residual_, relu_}, pixels);
  }

  const WinogradCode<Element>& code_;
  const BlockedImage from_, to_;
  const WinogradScheme<Element>& scheme_;
  const TileGrid grid_;
  const int64_t summed_, written_;  // channels read and written, rounded up to blocks

 private:
  void AddBias(const TensorDesc& bias) {
    if (bias.dtype != DType::kFloat32) {
      reorders_.AddAlways(2, MemoryDescOf(bias), PlainMemoryDesc(DType::kFloat32, bias.shape), &scratch_bytes);
    }
    bias_at_ = Take<float>(written_);
  }

  const float* PadBias(const float* bias, char* base) const {
    float* padded = reinterpret_cast<float*>(base + bias_at_);
    std::fill(std::copy(bias, bias + to_.channels, padded), padded + written_, 0.0f);
    return padded;
  }

  Dims padding_;

 protected:
  const WinogradKernels<Element> weights_;

 private:
  bool has_bias_, relu_, has_residual_;
  InputReorders reorders_;
  std::optional<ResidualInput> residual_;
  size_t bias_at_ = 0;
};

// In the order of conv2d_winograd_points.cc.
template <class Element>
PlanPtr MakeWinogradByPoints(const WinogradTask<Element>& task, const Descs& inputs, Descs outputs);

}  // namespace residua::cpu
