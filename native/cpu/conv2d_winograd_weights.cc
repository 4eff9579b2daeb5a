// The gradient of 3x3 weights by Winograd's algorithm: for each tile of dy the 3x3 gradient that it makes
// with its patch of x. Values at the points are summed up over all tiles in float32, by products of matrices, and
// transformed back once.
//
// Threads share the tiles, with sums of their own, and take as many at a time as fit their second-level cache. Where
// the weights are many and the tiles few, all tiles are transformed first, and threads share the weights.
#include <algorithm>
#include <optional>

#include "cpu/conv2d_winograd.h"
#include "cpu/winograd_transforms.h"

namespace residua::cpu {
namespace {

constexpr int64_t kMostSumBytes = 256 << 20;  // of the threads' sums together
constexpr int64_t kFewestTiles = 96, kMostTiles = 256;
constexpr int64_t kManySumBytes = 8 << 20, kFewTileBytes = 24 << 20;
constexpr int64_t kPanelRows = 64;                 // channels of x in one product
constexpr int64_t kTileGrain = 12, kRowGrain = 4;  // tiles, rows of weights that a thread takes at least

template <class Element>
class WinogradWeightsPlan : public CpuPlan {
 public:
  WinogradWeightsPlan(const WinogradCode<Element>& code, const CpuContext& context, const ConvGeometry& geometry,
                      const MemoryDesc& x_layout, const MemoryDesc& dy_layout, const MemoryDesc& dw_layout,
                      const Descs& inputs, Descs plan_outputs)
      : code_(code),
        stream_(context.stream),
        x_(*BlockedImageOf(x_layout, code.block)),
        dy_(*BlockedImageOf(dy_layout, code.block)),
        scheme_(code.SchemeFor(x_, dy_, geometry.padding)),
        grid_(GridOver(dy_, scheme_.tile_side)),
        padding_(geometry.padding),
        x_channels_(x_.whole_channels()),
        y_channels_(dy_.whole_channels()),
        reorders_(context.engine, context.stream, inputs.size()) {
    outputs = std::move(plan_outputs);
    SetLayout(&outputs[0], dw_layout);
    reorders_.Add(0, MemoryDescOf(inputs[0]), x_layout, &scratch_bytes);
    reorders_.Add(1, MemoryDescOf(inputs[1]), dy_layout, &scratch_bytes);
    AddShares(SetSizes(context.threads));
    using Tag = dnnl::memory::format_tag;
    const MemoryDesc blocked(geometry.w, DnnlType(DType::kFloat32), code.block == 16 ? Tag::OIhw16i16o : Tag::OIhw8i8o);
    if (blocked == dw_layout) return;
    gradient_at_ = TakeScratch(&scratch_bytes, blocked.get_size());
    gradient_out_.emplace(context.engine, blocked, dw_layout, &scratch_bytes);
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    char* base = static_cast<char*>(scratch);
    const void* const* read_from = reorders_.Run(inputs, scratch);
    const auto *x = static_cast<const Element*>(read_from[0]), *dy = static_cast<const Element*>(read_from[1]);
    float* gradient = static_cast<float*>(gradient_out_ ? base + gradient_at_ : out[0]);
    for (size_t share = 0; share < shares_.size(); ++share) {
      float* bias = BuffersOf(share, base).bias;
      std::fill(bias, bias + y_channels_, 0.0f);
    }
    if (shares_weights_)
      RunByWeights(x, dy, base, gradient);
    else
      RunByTiles(x, dy, base, gradient);
    if (gradient_out_) gradient_out_->Run(stream_, gradient, out[0], base);
    if (outputs.size() > 1) FinishBias(base, static_cast<float*>(out[1]));
  }

  std::string Algorithm() const override { return "winograd"; }

 private:
  static constexpr int64_t kStep = kInStep<Element>;

  // What one thread works with, in the scratch.
  struct Offsets {
    size_t patches, tiles, of_x, of_dy, sums, bias;
  };
  struct Buffers {
    Square *patches, *tiles;
    Element *of_x, *of_dy;  // [points, panels][steps of tiles, channels of the panel, kInStep]
    float* sums;            // [points, ci, co], or of one panel of either
    float* bias;            // [co]
  };

  int64_t SumStep() const { return sum_rows_ * sum_columns_ + kPointGap; }                          // point to point
  int64_t PointStep(int64_t channels) const { return most_steps_ * channels * kStep + kPointGap; }  // likewise

  // Returns in how many shares to divide the work.
  int64_t SetSizes(int64_t threads) {
    const int64_t tiles = grid_.tiles(), sum_bytes = scheme_.points * x_channels_ * y_channels_ * 4;
    const int64_t tile_bytes = scheme_.points * (x_channels_ + y_channels_) * static_cast<int64_t>(sizeof(Element));
    shares_weights_ = sum_bytes > kManySumBytes && tile_bytes * tiles <= kFewTileBytes;
    sum_rows_ = shares_weights_ ? kPanelRows : x_channels_;
    sum_columns_ = shares_weights_ ? code_.panel_columns : y_channels_;
    const int64_t cached = std::clamp(code_.cache_bytes / tile_bytes, kFewestTiles, kMostTiles);
    most_steps_ = CeilDivide(shares_weights_ ? tiles : std::min(cached, tiles), kStep);
    if (shares_weights_) return threads;
    const int64_t most_shares = std::min({threads, kMostSumBytes / sum_bytes, tiles / kTileGrain});
    return std::max<int64_t>(most_shares, 1);
  }

  void AddShares(int64_t count) {
    const auto take = [&](int64_t elements, size_t size) {
      return TakeScratch(&scratch_bytes, static_cast<size_t>(elements) * size);
    };
    for (int64_t share = 0; share < count; ++share) {
      Offsets at = share == 0 ? Offsets{} : shares_[0];
      if (share == 0 || !shares_weights_) {
        at.patches = take(kStep * most_steps_, sizeof(Square));
        at.tiles = take(kStep * most_steps_, sizeof(Square));
        at.of_x = take(scheme_.points * PointStep(x_channels_), sizeof(Element));
        at.of_dy = take(scheme_.points * PointStep(y_channels_), sizeof(Element));
      }
      at.sums = take(scheme_.points * SumStep(), sizeof(float));
      at.bias = take(y_channels_, sizeof(float));
      shares_.push_back(at);
    }
  }

  Buffers BuffersOf(size_t share, char* base) const {
    const Offsets& at = shares_[share];
    return {reinterpret_cast<Square*>(base + at.patches), reinterpret_cast<Square*>(base + at.tiles),
            reinterpret_cast<Element*>(base + at.of_x),   reinterpret_cast<Element*>(base + at.of_dy),
            reinterpret_cast<float*>(base + at.sums),     reinterpret_cast<float*>(base + at.bias)};
  }

  void RunByTiles(const Element* x, const Element* dy, char* base, float* gradient) const {
    const int64_t shares = static_cast<int64_t>(shares_.size()), tiles = grid_.tiles();
    ParallelFor(shares, 1, [&](int64_t begin, int64_t end) {
      for (int64_t share = begin; share < end; ++share) {
        const Buffers buffers = BuffersOf(static_cast<size_t>(share), base);
        const int64_t first_tile = tiles * share / shares, end_tile = tiles * (share + 1) / shares;
        for (int64_t first = first_tile; first < end_tile; first += kStep * most_steps_) {
          const int64_t count = std::min(kStep * most_steps_, end_tile - first);
          TransformTiles(first, count, 0, x, dy, buffers);
          AddProducts(CeilDivide(count, kStep), first > first_tile, buffers);
        }
      }
    });
    const float* sums = BuffersOf(0, base).sums;
    const int64_t share_step = shares > 1 ? BuffersOf(1, base).sums - sums : 0;
    ParallelFor(x_channels_, kRowGrain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        FinishRow({sums + row * sum_columns_, SumStep(), shares, share_step}, row, 0, y_channels_, gradient);
      }
    });
  }

  void RunByWeights(const Element* x, const Element* dy, char* base, float* gradient) const {
    // Each share has the same tiles at every call, as the sums of dy do not come out alike in another order.
    const auto shares = static_cast<int64_t>(shares_.size());
    ParallelFor(shares, 1, [&](int64_t begin, int64_t end) {
      for (int64_t share = begin; share < end; ++share) {
        const int64_t step = most_steps_ * share / shares, end_step = most_steps_ * (share + 1) / shares;
        const int64_t count = std::min(kStep * end_step, grid_.tiles()) - kStep * step;
        if (count > 0) TransformTiles(kStep * step, count, step, x, dy, BuffersOf(static_cast<size_t>(share), base));
      }
    });
    const int64_t y_panels = CeilDivide(y_channels_, code_.panel_columns);
    ParallelFor(CeilDivide(x_channels_, kPanelRows) * y_panels, 1, [&](int64_t begin, int64_t end) {
      const Buffers buffers = BuffersOf(static_cast<size_t>(omp_get_thread_num()), base);
      for (int64_t panels = begin; panels < end; ++panels) {
        const int64_t x_panel = panels / y_panels * kPanelRows, y_panel = panels % y_panels * code_.panel_columns;
        for (int64_t point = 0; point < scheme_.points; ++point) {
          MultiplyPanels(point, x_panel, y_panel, most_steps_, false, buffers, buffers.sums + point * SumStep());
        }
        for (int64_t row = 0; row < PanelRows(x_panel); ++row) {
          FinishRow({buffers.sums + row * sum_columns_, SumStep(), 1, 0}, x_panel + row, y_panel,
                    y_panel + PanelColumns(y_panel), gradient);
        }
      }
    });
  }

  // Of tiles first, first + 1, ...; theirs are steps `step`, step + 1, ... of the buffers.
  void TransformTiles(int64_t first, int64_t count, int64_t step, const Element* x, const Element* dy,
                      const Buffers& buffers) const {
    const int64_t above = padding_[0] - scheme_.padding, left = padding_[1] - scheme_.padding;
    Square *patches = buffers.patches + kStep * step, *tiles = buffers.tiles + kStep * step;
    FindSquares(x_, grid_, scheme_.patch_side, above, left, first, count, patches);
    FindSquares(dy_, grid_, scheme_.tile_side, 0, 0, first, count, tiles);
    for (int64_t block = 0; block < x_.blocks(); ++block) {
      scheme_.transform_patch_steps({x_, x + block * x_.block_step, patches, count},
                                    StepsOf(buffers.of_x, x_channels_, kPanelRows, block * code_.block, step));
    }
    for (int64_t block = 0; block < dy_.blocks(); ++block) {
      scheme_.transform_tile_steps({dy_, dy + block * dy_.block_step, tiles, count},
                                   StepsOf(buffers.of_dy, y_channels_, code_.panel_columns, block * code_.block, step),
                                   buffers.bias + block * code_.block);
    }
  }

  int64_t PanelRows(int64_t panel) const { return std::min(kPanelRows, x_channels_ - panel); }
  int64_t PanelColumns(int64_t panel) const { return std::min(code_.panel_columns, y_channels_ - panel); }

  // Where the values of a block of channels from `channel` on go, from `step` on.
  PointValues<Element> StepsOf(Element* values, int64_t channels, int64_t most_width, int64_t channel,
                               int64_t step) const {
    const int64_t panel = channel / most_width * most_width, width = std::min(most_width, channels - panel);
    const int64_t at = panel * most_steps_ + step * width + channel - panel;
    return {values + kStep * at, PointStep(channels), kStep * width};
  }

  void AddProducts(int64_t steps, bool adds, const Buffers& buffers) const {
    for (int64_t point = 0; point < scheme_.points; ++point) {
      for (int64_t y_panel = 0; y_panel < y_channels_; y_panel += code_.panel_columns) {
        for (int64_t x_panel = 0; x_panel < x_channels_; x_panel += kPanelRows) {
          float* sums = buffers.sums + point * SumStep() + x_panel * sum_columns_ + y_panel;
          MultiplyPanels(point, x_panel, y_panel, steps, adds, buffers, sums);
        }
      }
    }
  }

  void MultiplyPanels(int64_t point, int64_t x_panel, int64_t y_panel, int64_t steps, bool adds, const Buffers& buffers,
                      float* sums) const {
    const Element* of_x = buffers.of_x + point * PointStep(x_channels_) + x_panel * most_steps_ * kStep;
    const Element* of_dy = buffers.of_dy + point * PointStep(y_channels_) + y_panel * most_steps_ * kStep;
    const int64_t rows = PanelRows(x_panel);
    code_.multiply({of_x, kStep, kStep * rows, of_dy, sums, sum_columns_, rows, steps, PanelColumns(y_panel), adds});
  }

  // Row ci of the gradient, in blocks, from `column` to `end_column`; `sums` of its first column.
  void FinishRow(KernelSums sums, int64_t row, int64_t column, int64_t end_column, float* gradient) const {
    const int64_t tap = code_.block * code_.block;
    for (; column < end_column; column += code_.block, sums.at += code_.block) {
      const int64_t block = column / code_.block * x_.blocks() + row / code_.block;
      scheme_.transform_to_kernels(sums, gradient + block * 9 * tap + row % code_.block * code_.block, tap);
    }
  }

  void FinishBias(char* base, float* db) const {
    std::fill(db, db + dy_.channels, 0.0f);
    for (size_t share = 0; share < shares_.size(); ++share) {
      const float* bias = BuffersOf(share, base).bias;
      for (int64_t channel = 0; channel < dy_.channels; ++channel) db[channel] += bias[channel];
    }
  }

  const WinogradCode<Element>& code_;
  dnnl::stream stream_;
  BlockedImage x_, dy_;
  const WinogradScheme<Element>& scheme_;
  TileGrid grid_;
  Dims padding_;
  int64_t x_channels_, y_channels_;  // rounded up to blocks
  bool shares_weights_ = false;
  int64_t sum_rows_ = 0, sum_columns_ = 0;  // held at a time
  int64_t most_steps_ = 0;                  // of tiles, held at a time
  InputReorders reorders_;
  std::optional<ScratchReorder> gradient_out_;  // where it is wanted in another layout
  size_t gradient_at_ = 0;
  std::vector<Offsets> shares_;  // of the tiles, one for each thread
};

}  // namespace

template <class Element>
PlanPtr MakeWinogradBackwardWeights(const WinogradCode<Element>& code, const CpuContext& context,
                                    const ConvGeometry& geometry, const MemoryDesc& x_layout,
                                    const MemoryDesc& dy_layout, const MemoryDesc& dw_layout, const Descs& inputs,
                                    Descs outputs) {
  return std::make_shared<WinogradWeightsPlan<Element>>(code, context, geometry, BlockedLike(x_layout, code.block),
                                                        BlockedLike(dy_layout, code.block), dw_layout, inputs,
                                                        std::move(outputs));
}

#define RESIDUA_INSTANTIATE(Element)                                                                                  \
  template PlanPtr MakeWinogradBackwardWeights(const WinogradCode<Element>&, const CpuContext&, const ConvGeometry&,  \
                                               const MemoryDesc&, const MemoryDesc&, const MemoryDesc&, const Descs&, \
                                               Descs);
RESIDUA_INSTANTIATE(BFloat16)
RESIDUA_INSTANTIATE(float)

}  // namespace residua::cpu
