// Convolutions and gradients of their data with tiles of the result, some pixels by up to 64 channels, in registers:
// oneDNN's loops reach half the speed where the kernel steps over pixels, and for images of a few channels.
//
// Threads take bands of the result one by one: whole images or some rows of one. The channels read are summed up in
// chunks, whose weights stay in the first-level cache while the pixels go by. Of a chunk's channels the rows that a
// band reads are copied with their padding, so that all pixels are alike.
#include "cpu/conv2d_register_tiles.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "cpu/channel_blocks.h"
#include "cpu/conv2d_register_bands.h"
#include "cpu/residual_input.h"

namespace residua::cpu {
namespace {

using Tag = dnnl::memory::format_tag;

constexpr int64_t kMostPlanes = 4;  // channels of an image that is read as planes

struct Epilogue {
  bool has_bias = false, relu = false, has_residual = false;
};

class RegisterTilesPlan : public CpuPlan {
 public:
  // `weights`: as they are read; for planes plain, to be packed.
  RegisterTilesPlan(const CpuContext& context, TileTask task, const MemoryDesc& weights, const Epilogue& epilogue,
                    const Descs& inputs, Descs plan_outputs)
      : task_(std::move(task)),
        bands_(task_, context.threads),
        epilogue_(epilogue),
        kernel_(PixelProductKernelFor(task_.dtype)),
        threads_(context.threads),
        weight_shape_(DimsOf(weights)),
        reorders_(context.engine, context.stream, inputs.size()) {
    const dnnl::memory::data_type type = DnnlType(task_.dtype);
    outputs = std::move(plan_outputs);
    SetLayout(&outputs[0], MemoryDesc(task_.to, type, Tag::nChw16c));
    const Tag images = task_.reads_planes() ? Tag::nchw : Tag::nChw16c;
    reorders_.Add(0, MemoryDescOf(inputs[0]), MemoryDesc(task_.from, type, images), &scratch_bytes);
    reorders_.Add(1, MemoryDescOf(inputs[1]), weights, &scratch_bytes);
    const bool casts_bias = epilogue.has_bias && inputs[2].dtype != DType::kFloat32;
    if (casts_bias) {
      reorders_.AddAlways(2, MemoryDescOf(inputs[2]), PlainMemoryDesc(DType::kFloat32, inputs[2].shape),
                          &scratch_bytes);
    }
    if (epilogue.has_residual) residual_.emplace(context, inputs, this);
    if (task_.reads_planes()) packed_at_ = Take(task_.to[1] / kPixelVector * task_.weights.vector);
    for (int64_t i = 0; i < threads_; ++i) {
      copies_at_.push_back(Take(bands_.most_copied_bytes()));
      sums_at_.push_back(Take(NeedsSums() ? bands_.most_pixels() * task_.groups() * kGroupBytes : 0));
    }
  }

  void Run(void* const* inputs, void* const* out, void* scratch) override {
    char* base = static_cast<char*>(scratch);
    const void* const* read_from = reorders_.Run(inputs, scratch);
    const char* weights = static_cast<const char*>(read_from[1]);
    if (residual_) residual_->Run(inputs, out[0], scratch);
    if (task_.reads_planes()) weights = PackWeights(weights, base + packed_at_);
    const Operands operands{static_cast<const char*>(read_from[0]), weights,
                            epilogue_.has_bias ? static_cast<const float*>(read_from[2]) : nullptr,
                            static_cast<char*>(out[0])};
    std::atomic<int64_t> next{0};
    ParallelFor(threads_, 1, [&](int64_t thread, int64_t) {
      const auto at = static_cast<size_t>(thread);
      const Buffers buffers{base + copies_at_[at], reinterpret_cast<float*>(base + sums_at_[at])};
      for (int64_t i = next++; i < bands_.items(); i = next++) RunItem(bands_.ItemAt(i), operands, buffers);
    });
  }

  std::string Algorithm() const override { return "registerTiles"; }

 private:
  static constexpr int64_t kGroupBytes = kMostPixelVectors * kPixelVectorBytes;

  struct Operands {
    const char *images, *weights;
    const float* bias;
    char* out;
  };
  struct Buffers {
    char* copy;   // [images, blocks of a chunk, rows, columns, block], rows and columns with padding
    float* sums;  // [vectors of the result, pixels, 16]
  };

  size_t Take(int64_t bytes) { return TakeScratch(&scratch_bytes, static_cast<size_t>(bytes)); }
  bool NeedsSums() const { return !task_.reads_planes(); }

  // w [o, i, kh, kw] -> [o / 16, i, kh, steps of kw, 16 of o, numbers in a step]
  const char* PackWeights(const char* plain, char* packed) const {
    const auto size = static_cast<int64_t>(SizeOf(task_.dtype));
    const int64_t in_step = 4 / size, rows = weight_shape_[1] * weight_shape_[2], columns = weight_shape_[3];
    std::memset(packed, 0, static_cast<size_t>(weight_shape_[0] / kPixelVector * task_.weights.vector));
    for (int64_t o = 0; o < weight_shape_[0]; ++o) {
      char* vector = packed + o / kPixelVector * task_.weights.vector + o % kPixelVector * 4;
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t column = 0; column < columns; ++column, plain += size) {
          const int64_t step = row * task_.steps() + column / in_step;
          std::memcpy(vector + step * kPixelVectorBytes + column % in_step * size, plain, static_cast<size_t>(size));
        }
      }
    }
    return packed;
  }

  void RunItem(const RegisterBands::Item& item, const Operands& operands, const Buffers& buffers) const {
    const PixelPhase& phase = item.phase;
    const bool copies = task_.copies();
    PixelProduct product = {};
    product.a_pixels = phase.from.data() + item.band.first_pixel;
    product.out_pixels = phase.to.data() + item.band.first_pixel;
    product.pixels = item.pixels;
    product.b_step = task_.weights.step;
    product.b_vector = task_.weights.vector;
    product.out_vector = task_.to_plane();
    product.sums_vector = item.pixels * kPixelVector;
    product.taps = phase.taps.data();
    product.steps = task_.steps();
    product.adds_to_out = epilogue_.has_residual;
    product.relu = epilogue_.relu;
    for (int64_t block = 0; block < task_.blocks(); block += phase.blocks_in_chunk) {
      const int64_t blocks = std::min(phase.blocks_in_chunk, task_.blocks() - block);
      if (copies) CopyRows(item, operands.images, block, blocks, buffers.copy);
      product.a = copies ? buffers.copy : operands.images + (item.first_image * task_.blocks() + block) * task_.plane();
      product.tap_count = blocks * phase.taps_of_block;
      product.reads_sums = block > 0;
      // Without taps zeros are written at once.
      product.writes_sums = block + blocks < task_.blocks() && phase.taps_of_block > 0;
      for (int64_t group = item.first_group; group < item.end_group; ++group) {
        const int64_t vector = group * kMostPixelVectors;
        product.vectors = std::min(kMostPixelVectors, task_.to[1] / kPixelVector - vector);
        product.b = operands.weights + vector * task_.weights.vector + block * task_.weights.read_block;
        product.out = operands.out + item.first_image * task_.to_image() + vector * task_.to_plane();
        product.sums = buffers.sums + vector * product.sums_vector;
        product.bias = operands.bias && block == 0 ? operands.bias + vector * kPixelVector : nullptr;
        kernel_(product);
      }
      if (phase.taps_of_block == 0) return;
    }
  }

  // The band's rows of images [n, blocks, h, w, block], to their places in the copy.
  void CopyRows(const RegisterBands::Item& item, const char* images, int64_t first_block, int64_t blocks,
                char* copy) const {
    const int64_t from_row = task_.from[3] * task_.pixel(), row = task_.row();
    for (int64_t n = 0; n < item.images; ++n) {
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t plane = (item.first_image + n) * task_.blocks() + first_block + block;
        const char* from = images + plane * task_.from[2] * from_row;
        char* to = copy + n * item.phase.from_image + block * task_.plane();
        for (int64_t y = item.band.first_row; y < item.band.end_row; ++y) {
          const int64_t at = y - task_.height.before;
          const bool is_inside = at >= 0 && at < task_.height.inside;
          CopyRow(is_inside ? from + at * task_.height.sampling * from_row : nullptr, to + y * row);
        }
      }
    }
  }

  // Zeros where `from` is null.
  void CopyRow(const char* from, char* to) const {
    const PixelAxis& width = task_.width;
    const int64_t pixel = task_.pixel(), row = task_.row();
    if (!from) {
      std::memset(to, 0, static_cast<size_t>(row));
      return;
    }
    const int64_t left = width.before * pixel, end = left + width.inside * pixel;
    std::memset(to, 0, static_cast<size_t>(left));
    if (width.sampling == 1) {
      std::memcpy(to + left, from, static_cast<size_t>(end - left));
    } else {
      for (int64_t at = left; at < end; at += pixel, from += width.sampling * pixel) CopyBlock(to + at, from, pixel);
    }
    std::memset(to + end, 0, static_cast<size_t>(row - end));
  }

  const TileTask task_;
  const RegisterBands bands_;
  Epilogue epilogue_;
  PixelProductKernel kernel_;
  int64_t threads_;
  Dims weight_shape_;
  InputReorders reorders_;
  std::optional<ResidualInput> residual_;
  size_t packed_at_ = 0;  // in the scratch, as those of each thread
  std::vector<size_t> copies_at_, sums_at_;
};

// Of blocks [16 read, 16 written] for each tap.
TileWeights BlockedWeights(const Dims& w, DType dtype, int64_t vector, int64_t read_block) {
  const int64_t tap = kPixelVector * kPixelVector * static_cast<int64_t>(SizeOf(dtype)), taps = w[2] * w[3] * tap;
  return {vector * taps, read_block * taps, w[3] * tap, tap, kPixelVectorBytes};
}

}  // namespace

bool SuitsRegisterTiles(const ConvGeometry& whole, const ConvGeometry& live, DType dtype, bool forward) {
  if (live.w.size() != 4 || !live.HasAllTaps(whole) || !HasPixelProducts(dtype)) return false;
  const auto in_blocks = [](int64_t channels) { return channels % kPixelVector == 0; };
  const bool is_planes = forward && live.x[1] <= kMostPlanes && live.dilation[1] == 0;
  return in_blocks(live.y[1]) && (in_blocks(live.x[1]) || is_planes);
}

PlanPtr MakeRegisterTilesForward(const CpuContext& context, const Conv2dParams& params, const ConvGeometry& g,
                                 const Descs& inputs, Descs outputs, bool has_bias) {
  const DType dtype = inputs[0].dtype;
  const bool is_float = dtype == DType::kFloat32;
  TileTask task{dtype, g.x, g.y, ForwardAxis(g, 0), ForwardAxis(g, 1), kPixelVector, {}};
  MemoryDesc weights;
  if (g.x[1] <= kMostPlanes) {
    // A row's last step reads a number too many, times 0, where it takes two and the taps are odd.
    if (!is_float && g.w[3] % 2 > 0) ++task.width.size;
    task.block = 1;
    const int64_t row = task.steps() * kPixelVectorBytes;
    task.weights = {g.w[1] * g.w[2] * row, g.w[2] * row, row, 0, kPixelVectorBytes};
    weights = PlainMemoryDesc(dtype, inputs[1].shape);
  } else {
    task.weights = BlockedWeights(g.w, dtype, g.x[1] / kPixelVector, 1);
    weights = MemoryDesc(g.w, DnnlType(dtype), is_float ? Tag::OIhw16i16o : Tag::OIhw8i16o2i);
  }
  return std::make_shared<RegisterTilesPlan>(context, std::move(task), weights,
                                             Epilogue{has_bias, params.relu != 0, params.has_residual != 0}, inputs,
                                             std::move(outputs));
}

PlanPtr MakeRegisterTilesBackwardData(const CpuContext& context, const ConvGeometry& g, const Descs& inputs,
                                      Descs outputs) {
  const DType dtype = inputs[0].dtype;
  TileTask task{dtype, g.y, g.x, BackwardDataAxis(g, 0), BackwardDataAxis(g, 1), kPixelVector, {}};
  task.weights = BlockedWeights(g.w, dtype, 1, g.x[1] / kPixelVector);
  const Tag tag = dtype == DType::kFloat32 ? Tag::OIhw16o16i : Tag::OIhw8o16i2o;
  const MemoryDesc weights(g.w, DnnlType(dtype), tag);
  return std::make_shared<RegisterTilesPlan>(context, std::move(task), weights, Epilogue{}, inputs, std::move(outputs));
}

}  // namespace residua::cpu
