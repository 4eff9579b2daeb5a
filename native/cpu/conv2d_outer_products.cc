// The gradient of a convolution's weights as sums of outer products: for each pair of positions that a tap joins, the
// gradient of the tap [ci, co] is x[in] dy[out] more. Pieces of 6 x 64 weights stay in registers while the kernel goes
// over about two hundred positions of images in blocks of channels.
//
// Threads share either the images, with sums of their own that are added up at the end, or, where the weights are many,
// the channels of y.
#include "cpu/conv2d_outer_products.h"

#include <algorithm>
#include <optional>

#include "cpu/conv2d_position_steps.h"
#include "cpu/simd.h"

namespace residua::cpu {
namespace {

using Tag = dnnl::memory::format_tag;

constexpr int64_t kBlocksOfX = 64;              // of x's channels, that stay in the second-level cache
constexpr int64_t kMostPrivateBytes = 1 << 20;  // of the weights' sums, where each thread has its own
constexpr int64_t kTile = kVector * kVector;    // weights of one tap: 16 channels of x by 16 of y
constexpr int64_t kGrain = 16384;               // weights that a thread adds up at least

int64_t Blocks(int64_t channels) { return (channels + kVector - 1) / kVector; }

RESIDUA_SIMD void AddTo(float* __restrict sums, const float* __restrict more, int64_t count) {
  for (int64_t i = 0; i < count; ++i) sums[i] += more[i];
}

// What one thread does.
struct Share {
  int64_t first_image, end_image, first_block, end_block;  // blocks of y's channels
  float *weights, *bias;  // sums [co / 16, ci / 16, kh, kw, 16 i, 16 o], [co]; no bias: null
  char* packed;
};

class OuterProductsPlan : public CpuPlan {
 public:
  OuterProductsPlan(const CpuContext& context, const ConvGeometry& whole, const ConvGeometry& live,
                    const MemoryDesc& dw_layout, const Descs& inputs, Descs plan_outputs)
      : stream_(context.stream),
        dtype_(inputs[0].dtype),
        threads_(context.threads),
        images_(live.x[0]),
        taps_(live.w[2] * live.w[3]),
        x_blocks_(Blocks(live.x[1])),
        y_blocks_(Blocks(live.y[1])),
        y_channels_(live.y[1]),
        steps_(live, dtype_),
        reorders_(context.engine, context.stream, inputs.size()) {
    outputs = std::move(plan_outputs);
    SetLayout(&outputs[0], dw_layout);
    reorders_.Add(0, MemoryDescOf(inputs[0]), MemoryDesc(live.x, DnnlType(dtype_), Tag::nChw16c), &scratch_bytes);
    reorders_.Add(1, MemoryDescOf(inputs[1]), MemoryDesc(live.y, DnnlType(dtype_), Tag::nChw16c), &scratch_bytes);
    AddGradient(context.engine, whole, live, dw_layout);
    shares_images_ = images_ >= threads_ && Weights() * kFloatBytes <= kMostPrivateBytes;
    const int64_t copies = shares_images_ ? threads_ : 1;
    more_weights_at_ = TakeScratch(&scratch_bytes, static_cast<size_t>((copies - 1) * Weights() * kFloatBytes));
    if (outputs.size() > 1) bias_at_ = TakeScratch(&scratch_bytes, static_cast<size_t>(copies * Bias() * kFloatBytes));
    packed_bytes_ = static_cast<int64_t>((steps_.packed_bytes() + 63) / 64 * 64);
    packed_at_ = TakeScratch(&scratch_bytes, static_cast<size_t>(threads_ * packed_bytes_));
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    char* base = static_cast<char*>(scratch);
    const void* const* read_from = reorders_.Run(inputs, scratch);
    const char *x = static_cast<const char*>(read_from[0]), *dy = static_cast<const char*>(read_from[1]);
    float* weights = static_cast<float*>(gradient_out_ ? base + weights_at_ : out[0]);
    float* bias = outputs.size() > 1 ? reinterpret_cast<float*>(base + bias_at_) : nullptr;
    ParallelFor(threads_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) RunShare(ShareOf(i, weights, bias, base), x, dy);
    });
    if (shares_images_) AddUp(weights, bias, base);
    if (bias) std::copy(bias, bias + y_channels_, static_cast<float*>(out[1]));
    if (has_dead_taps_) FillZero(out[0], outputs[0].bytes);
    if (gradient_out_) gradient_out_->Run(stream_, weights, out[0], base);
  }

  std::string Algorithm() const override { return "outerProducts"; }

 private:
  static constexpr int64_t kFloatBytes = sizeof(float);
  int64_t Weights() const { return y_blocks_ * x_blocks_ * taps_ * kTile; }
  int64_t Bias() const { return y_blocks_ * kVector; }

  void AddGradient(const dnnl::engine& engine, const ConvGeometry& whole, const ConvGeometry& live,
                   const MemoryDesc& dw_layout) {
    const MemoryDesc summed(live.w, DnnlType(DType::kFloat32), Tag::OIhw16i16o);
    has_dead_taps_ = !live.HasAllTaps(whole);
    if (!has_dead_taps_ && dw_layout == summed) return;
    const MemoryDesc target = has_dead_taps_ ? dw_layout.submemory_desc(live.w, live.TapOffsets()) : dw_layout;
    weights_at_ = TakeScratch(&scratch_bytes, summed.get_size());
    gradient_out_.emplace(engine, summed, target, &scratch_bytes);
  }

  Share ShareOf(int64_t i, float* weights, float* bias, char* base) const {
    const auto part = [&](int64_t count, int64_t at) { return count * at / threads_; };
    char* packed = base + packed_at_ + i * packed_bytes_;
    if (!shares_images_) return {0, images_, part(y_blocks_, i), part(y_blocks_, i + 1), weights, bias, packed};
    if (i > 0) weights = reinterpret_cast<float*>(base + more_weights_at_) + (i - 1) * Weights();
    if (bias) bias += i * Bias();
    return {part(images_, i), part(images_, i + 1), 0, y_blocks_, weights, bias, packed};
  }

  void RunShare(const Share& share, const char* x, const char* dy) const {
    const StepSources from{x, dy, share.packed};
    const std::vector<Piece> pieces = PiecesOf(share);
    for (size_t i = 0; i < pieces.size(); ++i) {
      steps_.Pack(pieces[i], from, share.first_block, share.end_block);
      RunPiece(pieces[i], i + 1 < pieces.size() ? &pieces[i + 1] : nullptr, from, share, i > 0);
      if (share.bias) SumBias(pieces[i], from, share, i > 0);
    }
  }

  std::vector<Piece> PiecesOf(const Share& share) const {
    std::vector<Piece> pieces;
    for (int64_t n = share.first_image; n < share.end_image; n += steps_.images_in_piece()) {
      const int64_t images = std::min(steps_.images_in_piece(), share.end_image - n);
      for (int64_t row = 0; row < steps_.rows(); row += steps_.rows_in_piece()) {
        pieces.push_back({n, images, row, std::min(steps_.rows_in_piece(), steps_.rows() - row)});
      }
    }
    return pieces;
  }

  // Vectors of dy stay in the first-level cache while the blocks of x go by.
  void RunPiece(const Piece& piece, const Piece* next, const StepSources& from, const Share& share, bool adds) const {
    int64_t count = 0;  // of products, each of which fetches a part of the next piece
    for (int64_t first = 0; first < x_blocks_; first += kBlocksOfX) {
      const int64_t end = std::min(first + kBlocksOfX, x_blocks_);
      for (int64_t y_block = share.first_block; y_block < share.end_block; y_block += kMostVectors) {
        const int64_t vectors = std::min(kMostVectors, share.end_block - y_block);
        for (int64_t x_block = first; x_block < end; ++x_block) {
          for (int64_t tap = 0; tap < taps_; ++tap) {
            OuterProduct product = steps_.Product(piece, from, tap, x_block, y_block, share.first_block);
            product.c = share.weights + ((y_block * x_blocks_ + x_block) * taps_ + tap) * kTile;
            product.c_vector = x_blocks_ * taps_ * kTile;
            product.adds = adds;
            for (int64_t lane = 0, lanes; lane < kVector; lane += lanes) {
              lanes = std::min(MostLanes(vectors), kVector - lane);
              SetAhead(&next, from, share, &count, &product);
              OuterProductKernelFor(dtype_, lanes, vectors)(product);
              product.a.at += lanes * kFloatBytes;
              product.c += lanes * kVector;
            }
          }
        }
      }
    }
  }

  // Sets `next` to null after its last part.
  void SetAhead(const Piece** next, const StepSources& from, const Share& share, int64_t* count,
                OuterProduct* product) const {
    const char* part = *next ? steps_.Ahead(**next, from, share.first_block, share.end_block, (*count)++) : nullptr;
    if (!part) *next = nullptr;
    product->ahead = part ? part : from.dy;
    product->ahead_step = part ? kVectorBytes : 0;
  }

  void SumBias(const Piece& piece, const StepSources& from, const Share& share, bool adds) const {
    const auto kernel = OuterProductKernelFor(dtype_, 1, 1);
    for (int64_t block = share.first_block; block < share.end_block; ++block) {
      OuterProduct product = steps_.Sum(piece, from, block, share.first_block);
      product.c = share.bias + block * kVector;
      product.adds = adds;
      product.ahead = from.dy;
      kernel(product);
    }
  }

  void AddUp(float* weights, float* bias, char* base) const {
    const float* more = reinterpret_cast<const float*>(base + more_weights_at_);
    ParallelFor(Weights(), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = 1; i < threads_; ++i) {
        AddTo(weights + begin, more + (i - 1) * Weights() + begin, end - begin);
      }
    });
    for (int64_t i = 1; bias && i < threads_; ++i) AddTo(bias, bias + i * Bias(), Bias());
  }

  dnnl::stream stream_;
  DType dtype_;
  int64_t threads_, images_, taps_, x_blocks_, y_blocks_, y_channels_;
  PositionSteps steps_;
  InputReorders reorders_;
  std::optional<ScratchReorder> gradient_out_;  // where dw is laid out otherwise than the sums
  bool has_dead_taps_ = false, shares_images_ = false;
  int64_t packed_bytes_ = 0;  // of one thread
  size_t weights_at_ = 0, more_weights_at_ = 0, bias_at_ = 0, packed_at_ = 0;
};

}  // namespace

bool SuitsOuterProducts(const ConvGeometry& geometry, DType dtype) {
  return geometry.w.size() == 4 && geometry.x[1] >= kVector / 2 && HasOuterProducts(dtype);
}

PlanPtr MakeOuterProducts(const CpuContext& context, const ConvGeometry& whole, const ConvGeometry& live,
                          const MemoryDesc& dw_layout, const Descs& inputs, Descs outputs) {
  return std::make_shared<OuterProductsPlan>(context, whole, live, dw_layout, inputs, std::move(outputs));
}

}  // namespace residua::cpu
