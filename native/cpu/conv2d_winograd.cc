// 3x3 convolutions and gradients of their data by Winograd's algorithm: patches are transformed, multiplied by
// transformed weights at each point, for up to 64 channels of the result at a time (a panel), and transformed back.
//
// Threads share the tiles, and take as many at a time as fit their second-level cache. Where the weights are many and
// the tiles few, they share the panels instead: each transforms the weights of its own. Another order, which suits many
// channels: conv2d_winograd_points.cc.
#include "cpu/conv2d_winograd.h"

#include "cpu/winograd_plan.h"

namespace residua::cpu {
namespace {

constexpr int64_t kFewestTiles = 36, kMostTiles = 192;
constexpr int64_t kProductTiles = 12;  // whose products stay in the first-level cache
constexpr int64_t kManyKernelBytes = 4 << 20, kFewTileBytes = 16 << 20;

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
class WinogradByTiles : public WinogradPlan<Element> {
  using Base = WinogradPlan<Element>;
  using Base::code_, Base::grid_, Base::scheme_, Base::summed_, Base::weights_, Base::written_;

 public:
  WinogradByTiles(const WinogradTask<Element>& task, const Descs& inputs, Descs outputs)
      : Base(task, inputs, std::move(outputs)) {
    SetSizes(task.context.threads);
    for (int thread = 0; thread < task.context.threads; ++thread) AddThread();
  }

  std::string Algorithm() const override { return "winograd"; }

 protected:
  void Convolve(const Element* pixels, const Element* w, const float* bias, char* scratch,
                Element* out) const override {
    const auto run = shares_panels_ ? &WinogradByTiles::RunByPanels : &WinogradByTiles::RunByTiles;
    (this->*run)(pixels, w, bias, scratch, out);
  }

 private:
  int64_t KernelStep() const {
    return shares_panels_ ? summed_ * code_.panel_columns + kPointGap : Base::AllKernelsStep();
  }
  int64_t TransformedStep() const { return most_tiles_ * summed_ + kPointGap; }             // from point to point
  int64_t ProductStep() const { return scheme_.points * code_.panel_columns + kPointGap; }  // from tile to tile

  void SetSizes(int64_t threads) {
    const int64_t tiles = grid_.tiles(), tile_bytes = Base::TileBytes();
    shares_panels_ = tile_bytes * written_ > kManyKernelBytes && tile_bytes * tiles <= kFewTileBytes;
    const int64_t cached = std::clamp(code_.cache_bytes / tile_bytes, kFewestTiles, kMostTiles);
    batches_ = tiles < 2 * kWinogradTileGrain ? 1 : RoundUp(CeilDivide(tiles, cached), threads);
    most_tiles_ = shares_panels_ ? tiles : CeilDivide(tiles, batches_);
    const bool panel_is_cached = tile_bytes * code_.panel_columns <= code_.cache_bytes;
    most_products_ = panel_is_cached ? kProductTiles : code_.cache_bytes / (ProductStep() * int64_t{sizeof(float)});
  }

  void AddThread() {
    Offsets at = threads_.empty() ? Offsets{} : threads_[0];
    if (threads_.empty() || !shares_panels_) {
      at.patches = this->template Take<Square>(most_tiles_);
      at.tiles = this->template Take<Square>(most_tiles_);
      at.transformed = this->template Take<Element>(scheme_.points * TransformedStep());
    }
    if (threads_.empty() || shares_panels_) at.kernels = this->template Take<Element>(scheme_.points * KernelStep());
    at.products = this->template Take<float>(most_products_ * ProductStep());
    threads_.push_back(at);
  }

  Buffers<Element> BuffersOf(int thread, char* base) const {
    const Offsets& at = threads_[static_cast<size_t>(thread)];
    return {reinterpret_cast<Square*>(base + at.patches), reinterpret_cast<Square*>(base + at.tiles),
            reinterpret_cast<Element*>(base + at.transformed), reinterpret_cast<Element*>(base + at.kernels),
            reinterpret_cast<float*>(base + at.products)};
  }

  void RunByTiles(const Element* pixels, const Element* w, const float* bias, char* base, Element* out) const {
    Element* kernels = BuffersOf(0, base).kernels;
    Base::TransformAllKernels(w, kernels);
    ParallelFor(batches_, 1, [&](int64_t begin, int64_t end) {
      const Buffers<Element> buffers = BuffersOf(omp_get_thread_num(), base);
      for (int64_t batch = begin; batch < end; ++batch) {
        const int64_t first = grid_.tiles() * batch / batches_;
        const int64_t count = grid_.tiles() * (batch + 1) / batches_ - first;
        TransformPatches(first, count, 0, pixels, buffers);
        for (int64_t panel = 0; panel < written_; panel += code_.panel_columns) {
          ConvolvePanel(panel, count, kernels + panel * summed_, bias, buffers, out);
        }
      }
    });
  }

  void RunByPanels(const Element* pixels, const Element* w, const float* bias, char* base, Element* out) const {
    ParallelFor(grid_.tiles(), kWinogradTileGrain, [&](int64_t begin, int64_t end) {
      TransformPatches(begin, end - begin, begin, pixels, BuffersOf(0, base));
    });
    ParallelFor(Base::Panels(), 1, [&](int64_t begin, int64_t end) {
      const Buffers<Element> buffers = BuffersOf(omp_get_thread_num(), base);
      for (int64_t panel = begin * code_.panel_columns; panel < end * code_.panel_columns;
           panel += code_.panel_columns) {
        for (int64_t column = 0; column < Base::PanelColumns(panel); column += code_.block) {
          weights_.Transform(scheme_, w, panel + column, buffers.kernels + column * kInStep<Element>,
                             Base::PanelColumns(panel), KernelStep());
        }
        ConvolvePanel(panel, grid_.tiles(), buffers.kernels, bias, buffers, out);
      }
    });
  }

  // Of tiles first, first + 1, ...; theirs are rows `row`, row + 1, ... of the buffers.
  void TransformPatches(int64_t first, int64_t count, int64_t row, const Element* pixels,
                        const Buffers<Element>& buffers) const {
    Base::TransformPatches(first, count, pixels, buffers.patches + row, buffers.tiles + row,
                           buffers.transformed + row * summed_, TransformedStep());
  }

  // The first `count` rows of the buffers times the kernels of one panel, and back to pixels.
  void ConvolvePanel(int64_t panel, int64_t count, const Element* kernels, const float* bias,
                     const Buffers<Element>& buffers, Element* out) const {
    const int64_t columns = Base::PanelColumns(panel);
    for (int64_t row = 0; row < count; row += most_products_) {
      const int64_t rows = std::min(most_products_, count - row);
      for (int64_t point = 0; point < scheme_.points; ++point) {
        code_.multiply({buffers.transformed + point * TransformedStep() + row * summed_, summed_, kInStep<Element>,
                        kernels + point * KernelStep(), buffers.products + point * code_.panel_columns, ProductStep(),
                        rows, summed_ / kInStep<Element>, columns, false});
      }
      for (int64_t column = 0; column < columns; column += code_.block) {
        Base::TransformToTiles({buffers.products + column, code_.panel_columns, ProductStep()}, panel + column,
                               buffers.tiles + row, rows, bias, out);
      }
    }
  }

  bool shares_panels_ = false;
  int64_t batches_ = 1;                         // of tiles, where threads share these
  int64_t most_tiles_ = 0, most_products_ = 0;  // tiles whose patches, products are held at a time
  std::vector<Offsets> threads_;
};

template <class Element>
PlanPtr MakeInOrder(WinogradOrder order, const WinogradTask<Element>& task, const Descs& inputs, Descs outputs) {
  if (order == WinogradOrder::kPoints) return MakeWinogradByPoints(task, inputs, std::move(outputs));
  return std::make_shared<WinogradByTiles<Element>>(task, inputs, std::move(outputs));
}

}  // namespace

bool SuitsWinograd(const ConvGeometry& whole, const ConvGeometry& live, DType dtype) {
  if (!live.HasAllTaps(whole) || !live.SuitsWinograd()) return false;
  const auto suits = [&](const auto* code) { return code && std::min(live.x[1], live.y[1]) >= code->block; };
  if (dtype == DType::kBFloat16) return suits(WinogradInBFloat16());
  return dtype == DType::kFloat32 && suits(WinogradInFloat32());
}

template <class Element>
PlanPtr MakeWinogradForward(WinogradOrder order, const WinogradCode<Element>& code, const CpuContext& context,
                            const Conv2dParams& params, const ConvGeometry& geometry, const MemoryDesc& x_layout,
                            const MemoryDesc& y_layout, const Descs& inputs, Descs outputs, bool has_bias) {
  const WinogradTask<Element> task{code,
                                   context,
                                   BlockedLike(x_layout, code.block),
                                   BlockedLike(y_layout, code.block),
                                   geometry.padding,
                                   false,
                                   has_bias,
                                   params.relu != 0,
                                   params.has_residual != 0};
  return MakeInOrder(order, task, inputs, std::move(outputs));
}

template <class Element>
PlanPtr MakeWinogradBackwardData(WinogradOrder order, const WinogradCode<Element>& code, const CpuContext& context,
                                 const ConvGeometry& geometry, const MemoryDesc& dx_layout, const MemoryDesc& dy_layout,
                                 const Descs& inputs, Descs outputs) {
  const Dims padding{2 - geometry.padding[0], 2 - geometry.padding[1]};
  const WinogradTask<Element> task{
      code,  context, BlockedLike(dy_layout, code.block), BlockedLike(dx_layout, code.block), padding, true, false,
      false, false};
  return MakeInOrder(order, task, inputs, std::move(outputs));
}

#define RESIDUA_INSTANTIATE(Element)                                                                                   \
  template PlanPtr MakeWinogradForward(WinogradOrder, const WinogradCode<Element>&, const CpuContext&,                 \
                                       const Conv2dParams&, const ConvGeometry&, const MemoryDesc&, const MemoryDesc&, \
                                       const Descs&, Descs, bool);                                                     \
  template PlanPtr MakeWinogradBackwardData(WinogradOrder, const WinogradCode<Element>&, const CpuContext&,            \
                                            const ConvGeometry&, const MemoryDesc&, const MemoryDesc&, const Descs&,   \
                                            Descs);
RESIDUA_INSTANTIATE(BFloat16)
RESIDUA_INSTANTIATE(float)

}  // namespace residua::cpu
