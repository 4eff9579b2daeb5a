// 3x3 convolutions and gradients of their data by Winograd's algorithm: patches are transformed, multiplied by
// transformed weights at each point, for up to 64 channels of the result at a time (a panel), and transformed back.
//
// Threads share the tiles, and take as many at a time as fit their second-level cache. Where the weights are many and
// the tiles few, they share the panels instead: each transforms the weights of its own.
#include "cpu/conv2d_winograd.h"

#include <algorithm>
#include <optional>

#include "cpu/winograd_kernels.h"

namespace residua::cpu {
namespace {

constexpr int64_t kFewestTiles = 36, kMostTiles = 192;
constexpr int64_t kProductTiles = 12;  // whose products stay in the first-level cache
constexpr int64_t kManyKernelBytes = 4 << 20, kFewTileBytes = 16 << 20;
constexpr int64_t kTileGrain = 12;  // tiles that a thread takes at least

struct Epilogue {
  bool has_bias = false, relu = false, has_residual = false;
};

// What one thread works with, in the scratch; threads may share some of it.
struct Offsets {
  size_t patches, tiles, transformed, kernels, products;
};
template <class Element>
struct Buffers {
  Square *patches, *tiles;
  Element* transformed;  // [points, tiles, channels read]
  Element* kernels;      // [points, panels][steps of channels read, channels of the panel, kInStep]
  float* products;       // [tiles, points, channels of the panel]
};

template <class Element>
class WinogradPlan : public CpuPlan {
 public:
  // Reads input 0 as `from_layout`, the weights (input 1) and what the epilogue needs; writes output 0 as `to_layout`.
  WinogradPlan(const WinogradCode<Element>& code, const CpuContext& context, const MemoryDesc& from_layout,
               const MemoryDesc& to_layout, Dims padding, bool rotated, const Epilogue& epilogue, const Descs& inputs,
               Descs plan_outputs)
      : code_(code),
        stream_(context.stream),
        from_(*BlockedImageOf(from_layout, code.block)),
        to_(*BlockedImageOf(to_layout, code.block)),
        scheme_(code.SchemeFor(from_, to_, padding)),
        grid_(GridOver(to_, scheme_.tile_side)),
        padding_(std::move(padding)),
        weights_(inputs[1], code.block, rotated),
        epilogue_(epilogue),
        summed_(from_.whole_channels()),
        written_(to_.whole_channels()),
        reorders_(context.engine, context.stream, inputs.size()) {
    outputs = std::move(plan_outputs);
    SetLayout(&outputs[0], to_layout);
    reorders_.Add(0, MemoryDescOf(inputs[0]), from_layout, &scratch_bytes);
    reorders_.Add(1, MemoryDescOf(inputs[1]), weights_.layout(), &scratch_bytes);
    if (epilogue.has_bias) AddBias(inputs[2]);
    if (epilogue.has_residual) AddResidual(context.engine, inputs);
    SetSizes();
    for (int thread = 0; thread < context.threads; ++thread) AddThread();
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    char* base = static_cast<char*>(scratch);
    const void* const* read_from = reorders_.Run(inputs, scratch);
    const auto *pixels = static_cast<const Element*>(read_from[0]), *w = static_cast<const Element*>(read_from[1]);
    const float* bias = epilogue_.has_bias ? PadBias(static_cast<const float*>(read_from[2]), base) : nullptr;
    if (residual_in_) residual_in_->Run(stream_, inputs[residual_], out[0], base);
    const auto run = shares_panels_ ? &WinogradPlan::RunByPanels : &WinogradPlan::RunByTiles;
    (this->*run)(pixels, w, bias, base, static_cast<Element*>(out[0]));
  }

  std::string Algorithm() const override { return "winograd"; }

 private:
  int64_t KernelStep() const { return summed_ * kernel_columns_ + kPointGap; }              // from point to point
  int64_t TransformedStep() const { return most_tiles_ * summed_ + kPointGap; }             // from point to point
  int64_t ProductStep() const { return scheme_.points * code_.panel_columns + kPointGap; }  // from tile to tile

  void SetSizes() {
    const int64_t tiles = grid_.tiles();
    const int64_t tile_bytes = scheme_.points * summed_ * static_cast<int64_t>(sizeof(Element));
    shares_panels_ = tile_bytes * written_ > kManyKernelBytes && tile_bytes * tiles <= kFewTileBytes;
    kernel_columns_ = shares_panels_ ? code_.panel_columns : written_;
    const int64_t cached = std::clamp(code_.cache_bytes / tile_bytes, kFewestTiles, kMostTiles);
    most_tiles_ = shares_panels_ ? tiles : std::min(cached, tiles);
    const bool panel_is_cached = tile_bytes * code_.panel_columns <= code_.cache_bytes;
    most_products_ = panel_is_cached ? kProductTiles : code_.cache_bytes / (ProductStep() * int64_t{sizeof(float)});
  }

  void AddThread() {
    const auto take = [&](int64_t elements, size_t size) {
      return TakeScratch(&scratch_bytes, static_cast<size_t>(elements) * size);
    };
    Offsets at = threads_.empty() ? Offsets{} : threads_[0];
    if (threads_.empty() || !shares_panels_) {
      at.patches = take(most_tiles_, sizeof(Square));
      at.tiles = take(most_tiles_, sizeof(Square));
      at.transformed = take(scheme_.points * TransformedStep(), sizeof(Element));
    }
    if (threads_.empty() || shares_panels_) at.kernels = take(scheme_.points * KernelStep(), sizeof(Element));
    at.products = take(most_products_ * ProductStep(), sizeof(float));
    threads_.push_back(at);
  }

  Buffers<Element> BuffersOf(int thread, char* base) const {
    const Offsets& at = threads_[static_cast<size_t>(thread)];
    return {reinterpret_cast<Square*>(base + at.patches), reinterpret_cast<Square*>(base + at.tiles),
            reinterpret_cast<Element*>(base + at.transformed), reinterpret_cast<Element*>(base + at.kernels),
            reinterpret_cast<float*>(base + at.products)};
  }

  void AddBias(const TensorDesc& bias) {
    if (bias.dtype != DType::kFloat32) {
      reorders_.AddAlways(2, MemoryDescOf(bias), PlainMemoryDesc(DType::kFloat32, bias.shape), &scratch_bytes);
    }
    bias_at_ = TakeScratch(&scratch_bytes, static_cast<size_t>(written_) * sizeof(float));
  }

  // The result is added to what y holds: the residual shares y's storage where it lies alike, else it is moved there.
  void AddResidual(const dnnl::engine& engine, const Descs& inputs) {
    residual_ = inputs.size() - 1;
    if (SameLayout(inputs.back(), outputs[0])) {
      alias = {static_cast<int>(residual_)};
      return;
    }
    residual_in_.emplace(engine, MemoryDescOf(inputs.back()), MemoryDescOf(outputs[0]), &scratch_bytes);
  }

  const float* PadBias(const float* bias, char* base) const {
    float* padded = reinterpret_cast<float*>(base + bias_at_);
    std::fill(std::copy(bias, bias + to_.channels, padded), padded + written_, 0.0f);
    return padded;
  }

  // Channels of the result that one product computes, from `first` on.
  int64_t PanelColumns(int64_t first) const { return std::min(code_.panel_columns, written_ - first); }

  void RunByTiles(const Element* pixels, const Element* w, const float* bias, char* base, Element* out) const {
    Element* kernels = BuffersOf(0, base).kernels;
    ParallelFor(to_.blocks(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        const int64_t column = block * code_.block, panel = column / code_.panel_columns * code_.panel_columns;
        Element* to = kernels + panel * summed_ + (column - panel) * kInStep<Element>;
        weights_.Transform(scheme_, w, column, to, PanelColumns(panel), KernelStep());
      }
    });
    ParallelFor(grid_.tiles(), kTileGrain, [&](int64_t begin, int64_t end) {
      const Buffers<Element> buffers = BuffersOf(omp_get_thread_num(), base);
      for (int64_t first = begin; first < end; first += most_tiles_) {
        const int64_t count = std::min(most_tiles_, end - first);
        TransformPatches(first, count, 0, pixels, buffers);
        for (int64_t panel = 0; panel < written_; panel += code_.panel_columns) {
          ConvolvePanel(panel, count, kernels + panel * summed_, bias, buffers, out);
        }
      }
    });
  }

  void RunByPanels(const Element* pixels, const Element* w, const float* bias, char* base, Element* out) const {
    ParallelFor(grid_.tiles(), kTileGrain, [&](int64_t begin, int64_t end) {
      TransformPatches(begin, end - begin, begin, pixels, BuffersOf(0, base));
    });
    ParallelFor(CeilDivide(written_, code_.panel_columns), 1, [&](int64_t begin, int64_t end) {
      const Buffers<Element> buffers = BuffersOf(omp_get_thread_num(), base);
      for (int64_t panel = begin * code_.panel_columns; panel < end * code_.panel_columns;
           panel += code_.panel_columns) {
        for (int64_t column = 0; column < PanelColumns(panel); column += code_.block) {
          weights_.Transform(scheme_, w, panel + column, buffers.kernels + column * kInStep<Element>,
                             PanelColumns(panel), KernelStep());
        }
        ConvolvePanel(panel, grid_.tiles(), buffers.kernels, bias, buffers, out);
      }
    });
  }

  // Of tiles first, first + 1, ...; theirs are rows `row`, row + 1, ... of the buffers.
  void TransformPatches(int64_t first, int64_t count, int64_t row, const Element* pixels,
                        const Buffers<Element>& buffers) const {
    const int64_t above = padding_[0] - scheme_.padding, left = padding_[1] - scheme_.padding;
    Square* patches = buffers.patches + row;
    FindSquares(from_, grid_, scheme_.patch_side, above, left, first, count, patches);
    FindSquares(to_, grid_, scheme_.tile_side, 0, 0, first, count, buffers.tiles + row);
    for (int64_t block = 0; block < from_.blocks(); ++block) {
      Element* to = buffers.transformed + row * summed_ + block * code_.block;
      scheme_.transform_patches({from_, pixels + block * from_.block_step, patches, count},
                                {to, TransformedStep(), summed_});
    }
  }

  // The first `count` rows of the buffers times the kernels of one panel, and back to pixels.
  void ConvolvePanel(int64_t panel, int64_t count, const Element* kernels, const float* bias,
                     const Buffers<Element>& buffers, Element* out) const {
    for (int64_t row = 0; row < count; row += most_products_) {
      const int64_t rows = std::min(most_products_, count - row);
      for (int64_t point = 0; point < scheme_.points; ++point) {
        code_.multiply({buffers.transformed + point * TransformedStep() + row * summed_, summed_, kInStep<Element>,
                        kernels + point * KernelStep(), buffers.products + point * code_.panel_columns, ProductStep(),
                        rows, summed_ / kInStep<Element>, PanelColumns(panel), false});
      }
      for (int64_t column = 0; column < PanelColumns(panel); column += code_.block) {
        const int64_t channel = panel + column;
        Element* pixels = out + channel / code_.block * to_.block_step;
        scheme_.transform_to_tiles({buffers.products + column, code_.panel_columns, ProductStep()},
                                   {to_, pixels, buffers.tiles + row, rows},
                                   {bias ? bias + channel : nullptr, epilogue_.has_residual, epilogue_.relu}, pixels);
      }
    }
  }

  const WinogradCode<Element>& code_;
  dnnl::stream stream_;
  BlockedImage from_, to_;
  const WinogradScheme<Element>& scheme_;
  TileGrid grid_;
  Dims padding_;
  WinogradKernels<Element> weights_;
  Epilogue epilogue_;
  int64_t summed_, written_;  // channels read and written, rounded up to blocks
  bool shares_panels_ = false;
  int64_t kernel_columns_ = 0;                  // held at a time
  int64_t most_tiles_ = 0, most_products_ = 0;  // tiles whose patches, products are held at a time
  InputReorders reorders_;
  std::optional<ScratchReorder> residual_in_;  // where it does not share storage with y
  size_t residual_ = 0;                        // index of the input
  size_t bias_at_ = 0;
  std::vector<Offsets> threads_;
};

}  // namespace

bool SuitsWinograd(const ConvGeometry& whole, const ConvGeometry& live, DType dtype) {
  if (!live.HasAllTaps(whole) || !live.SuitsWinograd()) return false;
  const auto suits = [&](const auto* code) { return code && std::min(live.x[1], live.y[1]) >= code->block; };
  if (dtype == DType::kBFloat16) return suits(WinogradInBFloat16());
  return dtype == DType::kFloat32 && suits(WinogradInFloat32());
}

template <class Element>
PlanPtr MakeWinogradForward(const WinogradCode<Element>& code, const CpuContext& context, const Conv2dParams& params,
                            const ConvGeometry& geometry, const MemoryDesc& x_layout, const MemoryDesc& y_layout,
                            const Descs& inputs, Descs outputs, bool has_bias) {
  const Epilogue epilogue{has_bias, params.relu != 0, params.has_residual != 0};
  return std::make_shared<WinogradPlan<Element>>(code, context, BlockedLike(x_layout, code.block),
                                                 BlockedLike(y_layout, code.block), geometry.padding, false, epilogue,
                                                 inputs, std::move(outputs));
}

template <class Element>
PlanPtr MakeWinogradBackwardData(const WinogradCode<Element>& code, const CpuContext& context,
                                 const ConvGeometry& geometry, const MemoryDesc& dx_layout, const MemoryDesc& dy_layout,
                                 const Descs& inputs, Descs outputs) {
  const Dims padding{2 - geometry.padding[0], 2 - geometry.padding[1]};
  return std::make_shared<WinogradPlan<Element>>(code, context, BlockedLike(dy_layout, code.block),
                                                 BlockedLike(dx_layout, code.block), padding, true, Epilogue{}, inputs,
                                                 std::move(outputs));
}

#define RESIDUA_INSTANTIATE(Element)                                                                                   \
  template PlanPtr MakeWinogradForward(const WinogradCode<Element>&, const CpuContext&, const Conv2dParams&,           \
                                       const ConvGeometry&, const MemoryDesc&, const MemoryDesc&, const Descs&, Descs, \
                                       bool);                                                                          \
  template PlanPtr MakeWinogradBackwardData(const WinogradCode<Element>&, const CpuContext&, const ConvGeometry&,      \
                                            const MemoryDesc&, const MemoryDesc&, const Descs&, Descs);
RESIDUA_INSTANTIATE(BFloat16)
RESIDUA_INSTANTIATE(float)

}  // namespace residua::cpu
