// Winograd's algorithm in float32 for blocks of 8 and of 16 channels, in both layouts of images, against loops in
// float64. Prints a line for each: "ok NAME", or "not ok NAME: WHY". Ends with 1 if one fails.
#include <omp.h>

#include <cmath>
#include <cstdio>
#include <random>

#include "cpu/conv2d_winograd.h"
#include "cpu/cpu_info.h"

namespace residua::cpu {

const WinogradCode<float>* WinogradByHalves();

namespace {

using Tag = dnnl::memory::format_tag;
using Values = std::vector<float>;

struct Case {
  const char* name;
  int64_t images, in, out, height, width, padding;
};
// Sizes at which the patches, tiles and weights are shared among threads in each of the ways there are.
constexpr Case kCases[] = {
    {"tiles of 4x4", 3, 48, 80, 13, 9, 1},
    {"tiles of 2x2", 3, 32, 48, 6, 5, 1},
    {"images of 3x3 as a whole", 5, 32, 48, 3, 3, 1},
    {"odd channels, no padding", 2, 37, 21, 9, 12, 0},
    {"more padding than the image needs", 1, 16, 16, 2, 7, 2},
    {"one image of one tile", 1, 16, 32, 4, 4, 1},
    {"more tiles than are held at a time", 3, 16, 24, 62, 59, 1},
    {"so many weights that threads share these", 2, 288, 304, 3, 3, 1},
};

// A convolution of these sizes, with numbers for all of it.
struct Problem {
  Conv2dParams params;
  Shape x_shape, w_shape, y_shape;
  Values x, w, bias, residual, dy;
  Values y, dx, dw, db;  // what is expected; y is that of the sum and ReLU

  explicit Problem(const Case& c)
      : x_shape{c.images, c.in, c.height, c.width},
        w_shape{c.out, c.in, 3, 3},
        y_shape{c.images, c.out, c.height + 2 * c.padding - 2, c.width + 2 * c.padding - 2} {
    params.kernel_h = params.kernel_w = 3;
    params.pad_h = params.pad_w = static_cast<int32_t>(c.padding);
    params.has_bias = params.relu = params.has_residual = 1;
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform(-1, 1);
    const auto fill = [&](Values* values, int64_t count) {
      values->resize(static_cast<size_t>(count));
      for (float& value : *values) value = uniform(random);
    };
    fill(&x, NumElements(x_shape));
    fill(&w, NumElements(w_shape));
    fill(&bias, c.out);
    fill(&residual, NumElements(y_shape));
    fill(&dy, NumElements(y_shape));
    Compute(c.padding);
  }

  ConvGeometry Geometry() const { return {params, x_shape, w_shape, y_shape}; }

 private:
  void Compute(int64_t padding) {
    std::vector<double> sums(residual.begin(), residual.end()), of_x(x.size()), of_w(w.size()), of_bias(bias.size());
    const int64_t in = x_shape[1], height = x_shape[2], width = x_shape[3];
    size_t at_y = 0;
    for (int64_t n = 0; n < y_shape[0]; ++n) {
      for (int64_t out = 0; out < y_shape[1]; ++out) {
        for (int64_t row = 0; row < y_shape[2]; ++row) {
          for (int64_t column = 0; column < y_shape[3]; ++column, ++at_y) {
            sums[at_y] += bias[static_cast<size_t>(out)];
            of_bias[static_cast<size_t>(out)] += dy[at_y];
            for (int64_t tap = 0; tap < 9; ++tap) {
              const int64_t y = row - padding + tap / 3, x_column = column - padding + tap % 3;
              if (y < 0 || y >= height || x_column < 0 || x_column >= width) continue;
              for (int64_t channel = 0; channel < in; ++channel) {
                const auto at_x = static_cast<size_t>(((n * in + channel) * height + y) * width + x_column);
                const auto at_w = static_cast<size_t>((out * in + channel) * 9 + tap);
                sums[at_y] += double{x[at_x]} * double{w[at_w]};
                of_x[at_x] += double{dy[at_y]} * double{w[at_w]};
                of_w[at_w] += double{dy[at_y]} * double{x[at_x]};
              }
            }
          }
        }
      }
    }
    for (const double sum : sums) y.push_back(static_cast<float>(std::max(sum, 0.0)));
    dx.assign(of_x.begin(), of_x.end());
    dw.assign(of_w.begin(), of_w.end());
    db.assign(of_bias.begin(), of_bias.end());
  }
};

// Largest error, relative to the largest value.
double ErrorOf(const Values& actual, const Values& expected) {
  double error = 0, largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(double{actual[i]} - double{expected[i]});
    error = std::isnan(difference) ? INFINITY : std::max(error, difference);
    largest = std::max(largest, std::abs(double{expected[i]}));
  }
  return error / largest;
}

class Runner {
 public:
  Runner(const Problem& problem, const WinogradCode<float>& code, bool channels_last)
      : problem_(problem), code_(code), image_tag_(channels_last ? Tag::nhwc : BlockTag(code)) {
    context_.engine = dnnl::engine(dnnl::engine::kind::cpu, 0);
    context_.stream = dnnl::stream(context_.engine);
    context_.threads = omp_get_max_threads();
  }

  // "" or what is wrong.
  std::string Check() {
    const TensorDesc bias = PlainDesc(DType::kFloat32, {problem_.y_shape[1]});
    const TensorDesc w = PlainDesc(DType::kFloat32, problem_.w_shape);
    const MemoryDesc x = Image(problem_.x_shape), y = Image(problem_.y_shape);
    const ConvGeometry geometry = problem_.Geometry();
    std::string wrong;
    const auto compare = [&](const std::string& what, const Values& actual, const Values& expected) {
      const double error = ErrorOf(actual, expected);
      if (!(error < 4e-6)) wrong += what + " errs by " + std::to_string(error * 1e6) + "e-6; ";
    };

    for (const auto& [order, name] : {std::pair(WinogradOrder::kTiles, ""), {WinogradOrder::kPoints, " by points"}}) {
      auto plan = MakeWinogradForward(order, code_, context_, problem_.params, geometry, x, y,
                                      {Desc(problem_.x_shape, x), w, bias, Desc(problem_.y_shape, y)},
                                      {PlainDesc(DType::kFloat32, problem_.y_shape)}, true);
      if (plan->alias != std::vector<int>{3}) wrong += "the residual's storage is not y's; ";
      compare(std::string("y") + name,
              Run(plan.get(), {{problem_.x, x},
                               {problem_.w, MemoryDescOf(w)},
                               {problem_.bias, MemoryDescOf(bias)},
                               {problem_.residual, y}})[0],
              problem_.y);

      plan = MakeWinogradBackwardData(order, code_, context_, geometry, x, y, {Desc(problem_.y_shape, y), w},
                                      {PlainDesc(DType::kFloat32, problem_.x_shape)});
      compare(std::string("dx") + name, Run(plan.get(), {{problem_.dy, y}, {problem_.w, MemoryDescOf(w)}})[0],
              problem_.dx);
    }

    const auto plan = MakeWinogradBackwardWeights(code_, context_, geometry, x, y, MemoryDescOf(w),
                                                  {Desc(problem_.x_shape, x), Desc(problem_.y_shape, y)}, {w, bias});
    const std::vector<Values> gradients = Run(plan.get(), {{problem_.x, x}, {problem_.dy, y}});
    compare("dw", gradients[0], problem_.dw);
    compare("db", gradients[1], problem_.db);
    return wrong;
  }

 private:
  static Tag BlockTag(const WinogradCode<float>& code) { return code.block == 16 ? Tag::nChw16c : Tag::nChw8c; }

  // In blocks where whole ones do not hold the channels.
  MemoryDesc Image(const Shape& shape) const {
    const Tag tag = shape[1] % code_.block ? BlockTag(code_) : image_tag_;
    return MemoryDesc(Dims(shape.begin(), shape.end()), dnnl::memory::data_type::f32, tag);
  }
  static TensorDesc Desc(const Shape& shape, const MemoryDesc& layout) {
    TensorDesc desc = PlainDesc(DType::kFloat32, shape);
    SetLayout(&desc, layout);
    return desc;
  }

  void Reorder(const MemoryDesc& from, void* values, const MemoryDesc& to, void* result) {
    dnnl::memory source(from, context_.engine, values), target(to, context_.engine, result);
    dnnl::reorder(source, target).execute(context_.stream, source, target);
    context_.stream.wait();
  }

  struct Input {
    const Values& values;  // plain
    MemoryDesc layout;     // in which the plan wants them
  };
  // The plan's outputs, made plain.
  std::vector<Values> Run(CpuPlan* plan, const std::vector<Input>& inputs) {
    std::vector<Values> laid_out, outputs, results;
    std::vector<void*> from, to;
    for (const Input& input : inputs) {
      Values plain = input.values;
      laid_out.emplace_back(input.layout.get_size() / sizeof(float));
      Reorder(PlainLike(input.layout), plain.data(), input.layout, laid_out.back().data());
    }
    for (Values& values : laid_out) from.push_back(values.data());
    for (size_t i = 0; i < plan->outputs.size(); ++i) {
      outputs.emplace_back(plan->outputs[i].bytes / sizeof(float), NAN);
      const bool shares = i < plan->alias.size() && plan->alias[i] >= 0;
      to.push_back(shares ? from[static_cast<size_t>(plan->alias[i])] : outputs.back().data());
    }
    std::vector<char> scratch(plan->scratch_bytes + 64);
    const auto address = reinterpret_cast<uintptr_t>(scratch.data());
    plan->Run(from.data(), to.data(), scratch.data() + (64 - address % 64) % 64);
    for (size_t i = 0; i < plan->outputs.size(); ++i) {
      const TensorDesc& desc = plan->outputs[i];
      results.emplace_back(static_cast<size_t>(NumElements(desc.shape)));
      Reorder(MemoryDescOf(desc), to[i], PlainMemoryDesc(DType::kFloat32, desc.shape), results.back().data());
    }
    return results;
  }

  const Problem& problem_;
  const WinogradCode<float>& code_;
  Tag image_tag_;
  CpuContext context_;
};

bool TestAll(const char* vectors, const WinogradCode<float>& code) {
  bool all_pass = true;
  for (const Case& each : kCases) {
    const Problem problem(each);
    for (const bool channels_last : {false, true}) {
      std::string wrong;
      try {
        wrong = Runner(problem, code, channels_last).Check();
      } catch (const std::exception& error) {
        wrong = error.what();
      }
      all_pass &= wrong.empty();
      std::printf("%s %s, %s, %s%s%s\n", wrong.empty() ? "ok" : "not ok", vectors,
                  channels_last ? "channels last" : "in blocks", each.name, wrong.empty() ? "" : ": ", wrong.c_str());
    }
  }
  return all_pass;
}

}  // namespace
}  // namespace residua::cpu

int main() {
  using namespace residua::cpu;
  bool all_pass = true;
  if (HasInstructions(dnnl_cpu_isa_avx2)) {
    all_pass &= TestAll("8 channels by AVX2", *WinogradByAvx2());
    all_pass &= TestAll("16 channels by AVX2", *WinogradByHalves());
  }
  if (HasInstructions(dnnl_cpu_isa_avx512_core)) all_pass &= TestAll("16 channels by AVX-512", *WinogradByAvx512());
  return all_pass ? 0 : 1;
}
