// Execution: how values lie in memory, and arithmetic that the fixtures leave out.
#include <cmath>

#include "cuda_emulation/cudnn_test_support.h"

namespace residua::cudnn_test {
namespace {

const Dims kDims = {1, 2, 1, 2};

// One bit an element, in the order of memory (NHWC), the first in the lowest bit.
void CheckMaskBits() {
  Graph graph;
  const Dims dims = {1, 4, 1, 3};
  const Graph::Tensor x = graph.Add(CUDNN_DATA_FLOAT, dims), mask = graph.Add(CUDNN_DATA_BOOLEAN, dims),
                      zero = graph.Scalar();
  graph.Point(CUDNN_POINTWISE_CMP_GT, x, zero, mask);
  const Descriptor finished = graph.Finish();
  const Descriptor plan = MakePlan(Configurations(finished, CUDNN_HEUR_MODE_A)[0]);
  // NHWC: pixel 0 is 1 0 0 1, pixel 1 is 1 1 0 0, pixel 2 is 0 1 1 1.
  const DeviceTensor values(CUDNN_DATA_FLOAT, dims, {1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 1});
  DeviceTensor bits(CUDNN_DATA_UINT8, {1, 2, 1, 1});
  float threshold = 0;
  Execute(plan, {{x.uid, values.get()}, {mask.uid, bits.get()}, {zero.uid, &threshold}});
  const std::vector<float> bytes = bits.Read();
  Require(bytes[0] == 0b00111001, "pixels 0 and 1");
  Require((static_cast<int>(bytes[1]) & 15) == 0b1110, "pixel 2");
}

// Comparisons of a number with a smaller, an equal and a larger one, and with what is not a number.
void CheckComparisons() {
  const Dims dims = {1, 4, 1, 1};
  const float nan = std::nanf("");
  const DeviceTensor x(CUDNN_DATA_FLOAT, dims, {2, 2, 2, 2}), b(CUDNN_DATA_FLOAT, dims, {1, 2, 3, nan});
  const std::map<cudnnPointwiseMode_t, std::vector<float>> expected = {
      {CUDNN_POINTWISE_CMP_EQ, {0, 1, 0, 0}}, {CUDNN_POINTWISE_CMP_NEQ, {1, 0, 1, 1}},
      {CUDNN_POINTWISE_CMP_GT, {1, 0, 0, 0}}, {CUDNN_POINTWISE_CMP_GE, {1, 1, 0, 0}},
      {CUDNN_POINTWISE_CMP_LT, {0, 0, 1, 0}}, {CUDNN_POINTWISE_CMP_LE, {0, 1, 1, 0}}};
  for (const auto& [mode, values] : expected) {
    Graph graph;
    const Graph::Tensor x_id = graph.Add(CUDNN_DATA_FLOAT, dims), b_id = graph.Add(CUDNN_DATA_FLOAT, dims),
                        y_id = graph.Add(CUDNN_DATA_INT8, dims);
    graph.Point(mode, x_id, b_id, y_id);
    const Descriptor finished = graph.Finish();
    const DeviceTensor y(CUDNN_DATA_INT8, dims);
    Execute(MakePlan(Configurations(finished, CUDNN_HEUR_MODE_A)[0]),
            {{x_id.uid, x.get()}, {b_id.uid, b.get()}, {y_id.uid, y.get()}});
    Require(y.Read() == values, "mode " + std::to_string(mode));
  }
}

void CheckStrides() {
  Graph graph;
  const Dims dims = {1, 2, 1, 3};
  TensorOptions wide;
  wide.strides = {16, 1, 12, 4};  // two channels of four
  const Graph::Tensor x = graph.Add(CUDNN_DATA_FLOAT, dims, wide), y = graph.Add(CUDNN_DATA_FLOAT, dims);
  graph.Point(CUDNN_POINTWISE_NEG, x, y);
  const Descriptor finished = graph.Finish();
  const Descriptor plan = MakePlan(Configurations(finished, CUDNN_HEUR_MODE_A)[0]);
  const DeviceTensor values(CUDNN_DATA_FLOAT, {1, 12, 1, 1}, {1, 2, -9, -9, 3, 4, -9, -9, 5, 6, -9, -9});
  const DeviceTensor result(CUDNN_DATA_FLOAT, dims);
  Execute(plan, {{x.uid, values.get()}, {y.uid, result.get()}});
  Require(result.Read() == std::vector<float>{-1, -3, -5, -2, -4, -6}, "every second pair of channels");
}

// A virtual tensor keeps float precision, one in memory is rounded to its type.
void CheckVirtualPrecision() {
  for (const bool is_virtual : {true, false}) {
    Graph graph;
    const auto type = CUDNN_DATA_BFLOAT16;
    const Graph::Tensor x = graph.Add(CUDNN_DATA_FLOAT, kDims), y = graph.Add(CUDNN_DATA_FLOAT, kDims),
                        one = graph.Scalar(), sum = is_virtual ? graph.Virtual(kDims, type) : graph.Add(type, kDims);
    graph.Point(CUDNN_POINTWISE_ADD, x, one, sum);
    graph.Point(CUDNN_POINTWISE_SUB, sum, one, y);
    const Descriptor finished = graph.Finish();
    const Descriptor plan = MakePlan(Configurations(finished, CUDNN_HEUR_MODE_A)[0]);
    const float small = 1.0f / 1024;
    const DeviceTensor values(CUDNN_DATA_FLOAT, kDims, {small, small, small, small});
    const DeviceTensor result(CUDNN_DATA_FLOAT, kDims), rounded(type, kDims);
    float number = 1;
    Pointers pointers = {{x.uid, values.get()}, {y.uid, result.get()}, {one.uid, &number}};
    if (!is_virtual) pointers.emplace_back(sum.uid, rounded.get());
    Execute(plan, pointers);
    Require(result.Read()[0] == (is_virtual ? small : 0.0f),
            is_virtual ? "lost in a virtual tensor" : "kept in memory");
  }
}

void CheckOnePixelVariance() {
  Graph graph;
  const Dims dims = {1, 4, 1, 1};
  const Graph::Tensor x = graph.Add(CUDNN_DATA_FLOAT, dims), y = graph.Add(CUDNN_DATA_FLOAT, dims);
  const Graph::Norm norm = graph.NormForward(x, y, 4);
  const Descriptor finished = graph.Finish();
  const Descriptor plan = MakePlan(Configurations(finished, CUDNN_HEUR_MODE_A)[0]);
  std::vector<DeviceTensor> memory;
  Pointers pointers;
  for (const Graph::Tensor& tensor : {x, y, norm.scale, norm.bias, norm.running_mean, norm.running_variance, norm.mean,
                                      norm.inverse, norm.next_mean, norm.next_variance}) {
    memory.emplace_back(CUDNN_DATA_FLOAT, dims, std::vector<float>{1, 2, 3, 4});
    pointers.emplace_back(tensor.uid, memory.back().get());
  }
  float epsilon = 1e-5f, factor = 0.1f;
  pointers.emplace_back(norm.epsilon.uid, &epsilon);
  pointers.emplace_back(norm.factor.uid, &factor);
  Execute(plan, pointers);
  Require(memory[1].Read() == std::vector<float>{1, 2, 3, 4}, "y is the bias");
  Require(std::isnan(memory[9].Read()[0]), "one pixel has no unbiased variance");
}

}  // namespace

void AddValueChecks(std::vector<Check>* checks) {
  checks->push_back({"execution: bits of a mask", CheckMaskBits});
  checks->push_back({"execution: comparisons", CheckComparisons});
  checks->push_back({"execution: strides", CheckStrides});
  checks->push_back({"execution: virtual tensors keep float precision", CheckVirtualPrecision});
  checks->push_back({"execution: running variance of one pixel", CheckOnePixelVariance});
}

}  // namespace residua::cudnn_test
