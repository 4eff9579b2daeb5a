// The gradient of a convolution's weights, where the images have few channels, as sums of outer products: the taps of a
// row of the kernel by some vectors of y's channels stay in registers while the positions of some rows go by. For one
// channel at 96x96 oneDNN's loops take 1.7 times as long in bfloat16, and a tenth more in float32.
//
// Each thread sums up an equal share of the rows; their sums are added up at the end.
#include "cpu/conv2d_plane_products.h"

#include <algorithm>
#include <optional>

#include "cpu/input_reorders.h"
#include "cpu/plane_rows.h"
#include "cpu/rounding.h"

namespace residua::cpu {
namespace {

using Tag = dnnl::memory::format_tag;

constexpr int64_t kMostPlanes = 4;
constexpr int64_t kFloatBytes = sizeof(float);

// Of y's vectors and of the taps of a row, which one product takes of those that are left.
int64_t VectorsOf(int64_t kernel_width, int64_t left) {
  return std::min<int64_t>(left, kernel_width <= 6 ? kMostVectors : 2);
}
int64_t LanesOf(int64_t taps, int64_t vectors) {
  if (taps <= 3) return 3;
  if (vectors == kMostVectors) return taps == 4 ? 4 : 6;
  return taps == 7 ? 7 : 8;
}

class PlaneProductsPlan : public CpuPlan {
 public:
  PlaneProductsPlan(const CpuContext& context, const ConvGeometry& g, const MemoryDesc& dw_layout, const Descs& inputs,
                    Descs plan_outputs)
      : stream_(context.stream),
        dtype_(inputs[0].dtype),
        threads_(context.threads),
        weights_(g.w),
        lanes_(RoundUp(g.w[3], 8)),
        rows_(g, dtype_),
        reorders_(context.engine, context.stream, inputs.size()) {
    outputs = std::move(plan_outputs);
    SetLayout(&outputs[0], dw_layout);
    reorders_.Add(0, MemoryDescOf(inputs[0]), MemoryDesc(g.x, DnnlType(dtype_), Tag::nchw), &scratch_bytes);
    reorders_.Add(1, MemoryDescOf(inputs[1]), MemoryDesc(g.y, DnnlType(dtype_), Tag::nChw16c), &scratch_bytes);
    const MemoryDesc plain = PlainMemoryDesc(DType::kFloat32, g.w);
    if (!(dw_layout == plain)) {
      plain_at_ = TakeScratch(&scratch_bytes, plain.get_size());
      gradient_out_.emplace(context.engine, plain, dw_layout, &scratch_bytes);
    }
    sums_at_ = TakeScratch(&scratch_bytes, static_cast<size_t>(threads_ * Sums() * kFloatBytes));
    copied_bytes_ = RoundUp(static_cast<int64_t>(rows_.copied_bytes()), kVectorBytes);
    copies_at_ = TakeScratch(&scratch_bytes, static_cast<size_t>(threads_ * copied_bytes_));
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    char* base = static_cast<char*>(scratch);
    const void* const* read_from = reorders_.Run(inputs, scratch);
    const char *x = static_cast<const char*>(read_from[0]), *dy = static_cast<const char*>(read_from[1]);
    float* sums = reinterpret_cast<float*>(base + sums_at_);
    ParallelFor(threads_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        SumShare(i, {x, dy, base + copies_at_ + i * copied_bytes_}, sums + i * Sums());
      }
    });
    for (int64_t thread = 1; thread < threads_; ++thread) {
      for (int64_t i = 0; i < Sums(); ++i) sums[i] += sums[thread * Sums() + i];
    }
    float* plain = static_cast<float*>(gradient_out_ ? base + plain_at_ : out[0]);
    WritePlain(sums, plain);
    if (gradient_out_) gradient_out_->Run(stream_, plain, out[0], base);
    if (outputs.size() > 1) std::copy_n(sums + WeightSums(), weights_[0], static_cast<float*>(out[1]));
  }

  std::string Algorithm() const override { return "planeProducts"; }

 private:
  // Sums are [co / 16, ci, kh, lanes, 16 o], and [co] of the bias.
  int64_t SumsOfBlock() const { return weights_[1] * weights_[2] * lanes_ * kVector; }
  int64_t WeightSums() const { return rows_.y_blocks() * SumsOfBlock(); }
  int64_t Sums() const { return WeightSums() + rows_.y_blocks() * kVector; }

  void SumShare(int64_t thread, const PlaneSources& from, float* sums) const {
    const int64_t first = rows_.pieces() * thread / threads_, end = rows_.pieces() * (thread + 1) / threads_;
    if (first == end) std::fill(sums, sums + Sums(), 0.0f);
    for (int64_t i = first; i < end; ++i) {
      const PlanePiece piece = rows_.PieceAt(i);
      rows_.Copy(piece, from);
      const std::optional<PlanePiece> next = i + 1 < end ? std::optional(rows_.PieceAt(i + 1)) : std::nullopt;
      AddPiece(piece, next, from, sums, i > first);
    }
  }

  void AddPiece(const PlanePiece& piece, const std::optional<PlanePiece>& next, const PlaneSources& from, float* sums,
                bool adds) const {
    int64_t fetched = 0;  // blocks of the next piece's dy
    const auto run = [&](OuterProduct product, int64_t lanes, int64_t vectors, float* c) {
      product.c = c;
      product.c_vector = SumsOfBlock();
      product.adds = adds;
      const bool fetches = next && fetched < rows_.y_blocks();
      product.ahead = fetches ? rows_.BlockOfDy(*next, from.dy, fetched++) : from.dy;
      product.ahead_step = fetches ? kVectorBytes : 0;
      OuterProductKernelFor(dtype_, lanes, vectors)(product);
    };
    for (int64_t block = 0, vectors; block < rows_.y_blocks(); block += vectors) {
      vectors = VectorsOf(weights_[3], rows_.y_blocks() - block);
      for (int64_t row = 0; row < weights_[1] * weights_[2]; ++row) {  // of the kernel, in each channel
        float* c = sums + block * SumsOfBlock() + row * lanes_ * kVector;
        for (int64_t lane = 0, lanes; lane < weights_[3]; lane += lanes) {
          lanes = LanesOf(weights_[3] - lane, vectors);
          run(rows_.Product(piece, from, row / weights_[2], row % weights_[2], lane, block), lanes, vectors,
              c + lane * kVector);
        }
      }
    }
    if (outputs.size() == 1) return;
    for (int64_t block = 0; block < rows_.y_blocks(); ++block) {
      run(rows_.Sum(piece, from, block), 1, 1, sums + WeightSums() + block * kVector);
    }
  }

  // [co / 16, ci, kh, lanes, 16 o] -> [co, ci, kh, kw]
  void WritePlain(const float* sums, float* plain) const {
    for (int64_t o = 0; o < weights_[0]; ++o) {
      const float* of_o = sums + o / kVector * SumsOfBlock() + o % kVector;
      for (int64_t row = 0; row < weights_[1] * weights_[2]; ++row) {
        for (int64_t tap = 0; tap < weights_[3]; ++tap) *plain++ = of_o[(row * lanes_ + tap) * kVector];
      }
    }
  }

  dnnl::stream stream_;
  DType dtype_;
  int64_t threads_;
  Dims weights_;   // [co, ci, kh, kw]
  int64_t lanes_;  // of a row of the kernel, with those that tiles have too many
  PlaneRows rows_;
  InputReorders reorders_;
  std::optional<ScratchReorder> gradient_out_;  // where dw is not plain
  int64_t copied_bytes_ = 0;                    // of one thread
  size_t plain_at_ = 0, sums_at_ = 0, copies_at_ = 0;
};

}  // namespace

bool SuitsPlaneProducts(const ConvGeometry& whole, const ConvGeometry& live, DType dtype) {
  return live.w.size() == 4 && live.HasAllTaps(whole) && live.x[1] <= kMostPlanes && live.y[1] % kVector == 0 &&
         live.dilation[1] == 0 && HasOuterProducts(dtype);
}

PlanPtr MakePlaneProducts(const CpuContext& context, const ConvGeometry& geometry, const MemoryDesc& dw_layout,
                          const Descs& inputs, Descs outputs) {
  return std::make_shared<PlaneProductsPlan>(context, geometry, dw_layout, inputs, std::move(outputs));
}

}  // namespace residua::cpu
