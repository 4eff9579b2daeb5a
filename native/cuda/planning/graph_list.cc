// Ops as lines of text, and the cuDNN graphs that the backend asks for them.
#include "cuda/planning/graph_list.h"

#include <sstream>

#include "core/error.h"
#include "cuda/batch_norm_graph.h"
#include "cuda/conv2d_graph.h"
#include "cuda/pool2d_graph.h"

namespace residua::cuda {
namespace {

// Takes the words of a line one by one.
class Words {
 public:
  explicit Words(const std::string& line) : line_(line), stream_(line) {}

  std::string Next() {
    std::string word;
    if (!(stream_ >> word)) Fail("more words");
    return word;
  }

  template <class T>
  T Number() {
    T number = 0;
    if (!(stream_ >> number)) Fail("a number");
    return number;
  }

  DType Type(const std::string& word) {
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16, DType::kFloat16}) {
      if (word == Name(dtype)) return dtype;
    }
    Fail("float32, bfloat16 or float16");
  }

  Shape Image() {
    Shape shape(4);
    for (int64_t& size : shape) size = Number<int64_t>();
    return shape;
  }

  void End() {
    std::string word;
    if (stream_ >> word) Fail("the end of the line");
  }

  [[noreturn]] void Fail(const std::string& expected) const {
    throw Error(ErrorCode::kConfig, "The list of ops expected " + expected + ", got '" + line_ + "'.");
  }

 private:
  const std::string& line_;
  std::istringstream stream_;
};

int64_t OutputSize(int64_t in, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) {
  return (in + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
}

// Sets the pass of a convolution, and what Conv2dFused does after it.
void ParsePass(const std::string& pass, Words* words, ConvolutionSpec* spec) {
  if (pass.rfind("fused", 0) == 0) {
    const std::string after = pass.substr(5);
    if (after != "" && after != "_relu" && after != "_add" && after != "_add_relu") {
      words->Fail("fused, fused_relu, fused_add or fused_add_relu");
    }
    spec->params.has_residual = after.find("add") != std::string::npos;
    spec->params.relu = after.find("relu") != std::string::npos;
  } else if (pass == "backward_data") {
    spec->pass = ConvolutionPass::kBackwardData;
  } else if (pass == "backward_weights") {
    spec->pass = ConvolutionPass::kBackwardWeights;
  } else if (pass != "forward") {
    words->Fail("forward, backward_data, backward_weights or fused");
  }
}

// The alternatives of class Convolution, with that of class BiasedConvolution before them.
std::vector<Alternative> ParseConv2d(Words* words) {
  ConvolutionSpec spec;
  const std::string pass = words->Next();
  ParsePass(pass, words, &spec);
  spec.dtype = words->Type(words->Next());
  const std::string bias = words->Next();
  if (bias == "none" && pass.rfind("fused", 0) == 0) words->Fail("the type of a bias");
  spec.x = words->Image();
  const int64_t co = words->Number<int64_t>(), kh = words->Number<int64_t>(), kw = words->Number<int64_t>();
  Conv2dParams& p = spec.params;
  for (int32_t* value : {&p.stride_h, &p.stride_w, &p.pad_h, &p.pad_w, &p.dilation_h, &p.dilation_w, &p.groups}) {
    *value = words->Number<int32_t>();
  }
  spec.w = {co, spec.x[1] / p.groups, kh, kw};
  spec.y = {spec.x[0], co, OutputSize(spec.x[2], kh, p.stride_h, p.pad_h, p.dilation_h),
            OutputSize(spec.x[3], kw, p.stride_w, p.pad_w, p.dilation_w)};

  std::vector<Alternative> alternatives;
  if (bias != "none" && spec.pass == ConvolutionPass::kForward) {
    alternatives.push_back({"with bias", MakeConv2dWithBias(spec, words->Type(bias)).graph});
  }
  for (const DType weights : WeightTypes(spec)) {
    alternatives.push_back({std::string(Name(weights)) + " weights", MakeConv2d(spec, weights).graph});
  }
  return alternatives;
}

std::vector<Alternative> ParseBatchNorm(Words* words) {
  const std::string pass = words->Next();
  const DType dtype = words->Type(words->Next());
  const std::string tail_name = words->Next();
  BatchNormTail tail = BatchNormTail::kNone;
  if (tail_name == "relu") {
    tail = BatchNormTail::kRelu;
  } else if (tail_name == "add_relu") {
    tail = BatchNormTail::kAddRelu;
  } else if (tail_name != "none") {
    words->Fail("none, relu or add_relu");
  }
  const Shape image = words->Image();
  std::vector<Alternative> alternatives;
  if (pass == "forward") {
    alternatives.push_back({"", MakeBatchNormForward(dtype, image, tail).graph});
  } else if (pass == "backward") {
    alternatives.push_back({"", MakeBatchNormBackward(dtype, image, tail).graph});
  } else {
    words->Fail("forward or backward");
  }
  return alternatives;
}

std::vector<Alternative> ParsePool2d(Words* words) {
  const std::string pass = words->Next();
  const DType dtype = words->Type(words->Next());
  const std::string kind = words->Next();
  if (kind != "max" && kind != "avg") words->Fail("max or avg");
  const Shape x = words->Image();
  Pool2dParams p;
  for (int32_t* value : {&p.pool_h, &p.pool_w, &p.stride_h, &p.stride_w, &p.pad_h, &p.pad_w}) {
    *value = words->Number<int32_t>();
  }
  const Shape y = {x[0], x[1], OutputSize(x[2], p.pool_h, p.stride_h, p.pad_h, 1),
                   OutputSize(x[3], p.pool_w, p.stride_w, p.pad_w, 1)};
  std::vector<Alternative> alternatives;
  if (pass == "forward") {
    alternatives.push_back(
        {"", kind == "max" ? MakeMaxPool2d(dtype, p, x, y).graph : MakeAvgPool2d(dtype, p, x, y).graph});
  } else if (pass == "backward") {
    alternatives.push_back({"", kind == "max" ? MakeMaxPool2dBackward(dtype, p, x, y).graph
                                              : MakeAvgPool2dBackward(dtype, p, x, y).graph});
  } else {
    words->Fail("forward or backward");
  }
  return alternatives;
}

}  // namespace

std::vector<Alternative> ParseGraphs(const std::string& line) {
  Words words(line);
  const std::string op = words.Next();
  std::vector<Alternative> alternatives;
  if (op == "conv2d") {
    alternatives = ParseConv2d(&words);
  } else if (op == "batch_norm") {
    alternatives = ParseBatchNorm(&words);
  } else if (op == "pool2d") {
    alternatives = ParsePool2d(&words);
  } else {
    words.Fail("conv2d, batch_norm or pool2d");
  }
  words.End();
  return alternatives;
}

}  // namespace residua::cuda
