// 3x3 convolutions and gradients of their data by Winograd's algorithm, point by point: some hundreds of patches are
// transformed, multiplied at one point after the other by the weights of all channels, and transformed back. At a point
// the patches and the weights fit a core's second-level cache, which those of all points do not where channels are
// many.
#include "cpu/winograd_plan.h"

namespace residua::cpu {
namespace {

constexpr int64_t kFewestTiles = 128, kMostTiles = 512;

template <class Element>
class WinogradByPoints : public WinogradPlan<Element> {
  using Base = WinogradPlan<Element>;
  using Base::code_, Base::grid_, Base::scheme_, Base::summed_, Base::written_;

 public:
  WinogradByPoints(const WinogradTask<Element>& task, const Descs& inputs, Descs outputs)
      : Base(task, inputs, std::move(outputs)) {
    const int64_t row_bytes = summed_ * static_cast<int64_t>(sizeof(Element)), tiles = grid_.tiles();
    const int64_t most = std::clamp(code_.cache_bytes / row_bytes, kFewestTiles, kMostTiles);
    tiles_ = CeilDivide(tiles, CeilDivide(tiles, most));
    patches_at_ = this->template Take<Square>(tiles_);
    squares_at_ = this->template Take<Square>(tiles_);
    kernels_at_ = this->template Take<Element>(scheme_.points * Base::AllKernelsStep());
    transformed_at_ = this->template Take<Element>(scheme_.points * TransformedStep());
    products_at_ = this->template Take<float>(scheme_.points * ProductStep());
  }

  std::string Algorithm() const override { return "winogradByPoints"; }

 protected:
  void Convolve(const Element* pixels, const Element* w, const float* bias, char* scratch,
                Element* out) const override {
    Base::TransformAllKernels(w, reinterpret_cast<Element*>(scratch + kernels_at_));
    for (int64_t first = 0; first < grid_.tiles(); first += tiles_) {
      const int64_t count = std::min(tiles_, grid_.tiles() - first);
      TransformPatches(first, count, pixels, scratch);
      Multiply(count, scratch);
      TransformToTiles(count, bias, scratch, out);
    }
  }

 private:
  int64_t TransformedStep() const { return tiles_ * summed_ + kPointGap; }  // from point to point
  int64_t ProductStep() const { return tiles_ * written_ + kPointGap; }     // likewise

  void TransformPatches(int64_t first, int64_t count, const Element* pixels, char* scratch) const {
    Square *patches = reinterpret_cast<Square*>(scratch + patches_at_), *squares = SquaresIn(scratch);
    Element* transformed = reinterpret_cast<Element*>(scratch + transformed_at_);
    ParallelFor(count, kWinogradTileGrain, [&](int64_t begin, int64_t end) {
      Base::TransformPatches(first + begin, end - begin, pixels, patches + begin, squares + begin,
                             transformed + begin * summed_, TransformedStep());
    });
  }

  // [points, tiles, channels read] x [points, channels read, channels written] -> [points, tiles, channels written]
  void Multiply(int64_t count, char* scratch) const {
    const Element* transformed = reinterpret_cast<const Element*>(scratch + transformed_at_);
    const Element* kernels = reinterpret_cast<const Element*>(scratch + kernels_at_);
    const int64_t panels = Base::Panels();
    ParallelFor(scheme_.points * panels, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t point = i / panels, column = i % panels * code_.panel_columns;
        code_.multiply({transformed + point * TransformedStep(), summed_, kInStep<Element>,
                        kernels + point * Base::AllKernelsStep() + column * summed_,
                        ProductsIn(scratch) + point * ProductStep() + column, written_, count,
                        summed_ / kInStep<Element>, Base::PanelColumns(column), false});
      }
    });
  }

  void TransformToTiles(int64_t count, const float* bias, char* scratch, Element* out) const {
    ParallelFor(count, kWinogradTileGrain, [&](int64_t begin, int64_t end) {
      for (int64_t channel = 0; channel < written_; channel += code_.block) {
        const float* products = ProductsIn(scratch) + begin * written_ + channel;
        Base::TransformToTiles({products, ProductStep(), written_}, channel, SquaresIn(scratch) + begin, end - begin,
                               bias, out);
      }
    });
  }

  Square* SquaresIn(char* scratch) const { return reinterpret_cast<Square*>(scratch + squares_at_); }
  float* ProductsIn(char* scratch) const { return reinterpret_cast<float*>(scratch + products_at_); }

  int64_t tiles_ = 0;  // that are held at a time
  size_t patches_at_ = 0, squares_at_ = 0, kernels_at_ = 0, transformed_at_ = 0, products_at_ = 0;
};

}  // namespace

template <class Element>
PlanPtr MakeWinogradByPoints(const WinogradTask<Element>& task, const Descs& inputs, Descs outputs) {
  return std::make_shared<WinogradByPoints<Element>>(task, inputs, std::move(outputs));
}

template PlanPtr MakeWinogradByPoints(const WinogradTask<BFloat16>&, const Descs&, Descs);
template PlanPtr MakeWinogradByPoints(const WinogradTask<float>&, const Descs&, Descs);

}  // namespace residua::cpu
