// Convolution of tiny images as one matrix product: the pixels of a whole image [n, channels * positions] times a
// matrix of the weights, whose entry for (channel and position read, channel and position written) is the weight of the
// tap that joins the two positions, 0 where none does. On a 2x2 image each of the 16 pairs is joined by one of the nine
// taps of a 3x3 kernel: the matrix has no zeros, and oneDNN multiplies matrices at twice the speed of such
// convolutions. The gradient of the data is the same with reading and writing exchanged.
//
// Infinities and NaN spread over the whole image where the matrix has zeros.
#include "cpu/conv2d_matrix.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "cpu/channel_blocks.h"
#include "cpu/conv2d_taps.h"
#include "cpu/keep_nan.h"
#include "cpu/matrix_product.h"
#include "cpu/residual_input.h"

namespace residua::cpu {
namespace {

constexpr int64_t kMostMatrixBytes = 16 << 20;
constexpr int64_t kGrain = 8;  // rows of the matrix a thread fills at least

// The image that the product reads or writes.
struct Side {
  MemoryDesc layout;
  ChannelBlocks order;
  int64_t channels;  // without padding

  explicit Side(const MemoryDesc& wanted)
      : layout(ChannelBlocksOf(wanted) ? wanted : PlainLike(wanted)),
        order(*ChannelBlocksOf(layout)),
        channels(DimsOf(wanted)[1]) {}
  // As the matrix [n, all elements of an image].
  MemoryDesc AsMatrix() const {
    return MemoryDesc({DimsOf(layout)[0], order.elements()}, DataTypeOf(layout), Dims{order.elements(), 1});
  }
};

struct Epilogue {
  bool has_bias = false, relu = false, has_residual = false;
};

dnnl::post_ops PostOpsOf(const Epilogue& epilogue) {
  dnnl::post_ops after;
  if (epilogue.has_residual) after.append_sum(1.0f);
  if (epilogue.relu) AppendRelu(&after);
  return after;
}

class MatrixPlan : public CpuPlan {
 public:
  // Reads input 0 as `from`, the weights (input 1) and what the epilogue needs; writes output 0 as `to`.
  // `tap_between[p * to.positions + q]`: the tap between position p of `from` and q of `to`, or -1.
  MatrixPlan(const CpuContext& context, const ConvGeometry& whole, const ConvGeometry& live, TapMatrix matrix,
             const Side& from, const Side& to, std::vector<int64_t> tap_between, const Epilogue& epilogue,
             const Descs& inputs, Descs plan_outputs)
      : stream_(context.stream),
        from_(from),
        to_(to),
        tap_between_(std::move(tap_between)),
        epilogue_(epilogue),
        dtype_(inputs[0].dtype),
        element_size_(static_cast<int64_t>(SizeOf(dtype_))),
        reorders_(context.engine, context.stream, inputs.size()) {
    outputs = std::move(plan_outputs);
    SetLayout(&outputs[0], to_.layout);
    reorders_.Add(0, MemoryDescOf(inputs[0]), from_.layout, &scratch_bytes);
    AddWeights(whole, live, matrix, inputs[1]);
    if (epilogue.has_bias) AddBias(inputs[2]);
    if (epilogue.has_residual) residual_.emplace(context, inputs, this);
    MakeProduct(context.engine);
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    char* base = static_cast<char*>(scratch);
    const void* const* read_from = reorders_.Run(inputs, scratch);
    const void* matrix = read_from[1];
    if (!weights_are_matrix_) {
      FillMatrix(static_cast<const char*>(read_from[1]), base + matrix_at_);
      matrix = base + matrix_at_;
    }
    float* bias = epilogue_.has_bias ? reinterpret_cast<float*>(base + bias_at_) : nullptr;
    if (bias) SpreadBias(static_cast<const float*>(read_from[2]), bias);
    if (residual_) residual_->Run(inputs, out[0], base);
    product_->Run(stream_, read_from[0], matrix, bias, out[0], base + scratchpad_at_);
    // Weights that have become NaN, which those of BatchNorm make of NaN statistics, come with a bias that is.
    if (epilogue_.relu && bias)
      KeepNaN(static_cast<const float*>(read_from[2]), to_.channels, out[0], outputs[0].bytes);
  }

  std::string Algorithm() const override { return "matrix"; }

 private:
  void AddWeights(const ConvGeometry& whole, const ConvGeometry& live, TapMatrix matrix, const TensorDesc& w) {
    const MemoryDesc tap_major = TapMajorDesc(dtype_, live.w, matrix);
    const MemoryDesc given = MemoryDescOf(w);
    if (live.HasAllTaps(whole))
      reorders_.Add(1, given, tap_major, &scratch_bytes);
    else
      reorders_.AddAlways(1, given.submemory_desc(live.w, live.TapOffsets()), tap_major, &scratch_bytes);
    weights_are_matrix_ = from_.order.elements() == from_.channels && to_.order.elements() == to_.channels &&
                          tap_between_ == std::vector<int64_t>{0};
    if (!weights_are_matrix_) {
      const int64_t bytes = from_.order.elements() * to_.order.elements() * element_size_;
      matrix_at_ = TakeScratch(&scratch_bytes, static_cast<size_t>(bytes));
    }
  }

  void AddBias(const TensorDesc& bias) {
    if (bias.dtype != DType::kFloat32) {
      reorders_.AddAlways(2, MemoryDescOf(bias), PlainMemoryDesc(DType::kFloat32, bias.shape), &scratch_bytes);
    }
    bias_at_ = TakeScratch(&scratch_bytes, static_cast<size_t>(to_.order.elements()) * sizeof(float));
  }

  void MakeProduct(const dnnl::engine& engine) {
    const int64_t rows = from_.order.elements(), columns = to_.order.elements();
    const MemoryDesc bias = epilogue_.has_bias ? PlainMemoryDesc(DType::kFloat32, {1, columns}) : MemoryDesc();
    product_.emplace(engine, from_.AsMatrix(), PlainMemoryDesc(dtype_, {rows, columns}), bias, to_.AsMatrix(),
                     PostOpsOf(epilogue_));
    scratchpad_at_ = TakeScratch(&scratch_bytes, product_->scratch_bytes());
  }

  // weights [taps, channels read, channels written] -> matrix [elements read, elements written]
  void FillMatrix(const char* weights, char* matrix) const {
    ParallelFor(from_.order.elements(), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) FillRow(weights, row, matrix);
    });
  }

  void FillRow(const char* weights, int64_t row, char* matrix) const {
    const ChannelBlocks &from = from_.order, &to = to_.order;
    const int64_t position = row / from.block % from.positions;
    const int64_t channel = row / (from.block * from.positions) * from.block + row % from.block;
    const int64_t block_bytes = to.block * element_size_;
    char* at = matrix + row * to.elements() * element_size_;
    for (int64_t first = 0; first < to.channels; first += to.block) {
      const int64_t bytes = std::min(to.block, to_.channels - first) * element_size_;
      for (int64_t q = 0; q < to.positions; ++q, at += block_bytes) {
        const int64_t tap = channel < from_.channels ? tap_between_[position * to.positions + q] : -1;
        if (tap < 0) {
          std::memset(at, 0, block_bytes);
          continue;
        }
        const char* of = weights + ((tap * from_.channels + channel) * to_.channels + first) * element_size_;
        CopyBlock(at, of, bytes);
        if (bytes < block_bytes) std::memset(at + bytes, 0, block_bytes - bytes);
      }
    }
  }

  // bias [channels] -> [elements of an image]
  void SpreadBias(const float* bias, float* spread) const {
    const ChannelBlocks& to = to_.order;
    for (int64_t i = 0; i < to.elements(); ++i) {
      const int64_t channel = i / (to.block * to.positions) * to.block + i % to.block;
      spread[i] = channel < to_.channels ? bias[channel] : 0.0f;
    }
  }

  dnnl::stream stream_;
  Side from_, to_;
  std::vector<int64_t> tap_between_;
  Epilogue epilogue_;
  DType dtype_;
  int64_t element_size_;
  InputReorders reorders_;
  std::optional<ResidualInput> residual_;
  bool weights_are_matrix_ = false;  // one position on either side
  size_t matrix_at_ = 0, bias_at_ = 0, scratchpad_at_ = 0;
  std::optional<MatrixProduct> product_;
};

// [positions read, positions written]
std::vector<int64_t> TapsBetween(const ConvGeometry& geometry, TapMatrix matrix) {
  const int64_t in = geometry.x[2] * geometry.x[3], out = geometry.y[2] * geometry.y[3];
  std::vector<int64_t> between(static_cast<size_t>(in * out), -1);
  const auto taps = TapPairsOf(geometry);
  for (size_t tap = 0; tap < taps.size(); ++tap) {
    for (const TapPair& pair : taps[tap]) {
      const int64_t at = matrix == TapMatrix::kInByOut ? pair.in * out + pair.out : pair.out * in + pair.in;
      between[static_cast<size_t>(at)] = static_cast<int64_t>(tap);
    }
  }
  return between;
}

}  // namespace

bool SuitsMatrix(const ConvGeometry& g, DType dtype) {
  if (g.w.size() != 4) return false;
  const int64_t in = g.x[2] * g.x[3], out = g.y[2] * g.y[3], taps = g.w[2] * g.w[3];
  const int64_t entries = g.x[1] * in * g.y[1] * out;
  return in <= taps && entries * static_cast<int64_t>(SizeOf(dtype)) <= kMostMatrixBytes;
}

PlanPtr MakeMatrixForward(const CpuContext& context, const Conv2dParams& params, const ConvGeometry& whole,
                          const ConvGeometry& live, const MemoryDesc& x_layout, const MemoryDesc& y_layout,
                          const Descs& inputs, Descs outputs, bool has_bias) {
  const Epilogue epilogue{has_bias, params.relu != 0, params.has_residual != 0};
  const TapMatrix matrix = TapMatrix::kInByOut;
  return std::make_shared<MatrixPlan>(context, whole, live, matrix, Side(x_layout), Side(y_layout),
                                      TapsBetween(live, matrix), epilogue, inputs, std::move(outputs));
}

PlanPtr MakeMatrixBackwardData(const CpuContext& context, const ConvGeometry& whole, const ConvGeometry& live,
                               const MemoryDesc& dx_layout, const MemoryDesc& dy_layout, const Descs& inputs,
                               Descs outputs) {
  const TapMatrix matrix = TapMatrix::kOutByIn;
  return std::make_shared<MatrixPlan>(context, whole, live, matrix, Side(dy_layout), Side(dx_layout),
                                      TapsBetween(live, matrix), Epilogue{}, inputs, std::move(outputs));
}

}  // namespace residua::cpu
