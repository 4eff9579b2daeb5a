// Operations and graphs that do not fit together are refused, with the status of their kind and a text.
#include "cuda_emulation/cudnn_test_support.h"

namespace residua::cudnn_test {
namespace {

const Dims kImage = {2, 8, 5, 5}, kFilter = {8, 8, 3, 3}, kChannels = {1, 8, 1, 1};

// The status of what `build` throws: the text of the failure must name it.
void RequireRefusedBuild(const std::string& what, const char* status, const std::function<void(Graph*)>& build) {
  Graph graph;
  try {
    build(&graph);
  } catch (const std::exception& error) {
    const std::string text = error.what();
    Require(text.find(std::string(status) + ",") != std::string::npos, what + ": expected " + status + ", got " + text);
    return;
  }
  Fail(what + " was not refused.");
}

constexpr char kBad[] = "CUDNN_STATUS_BAD_PARAM", kShape[] = "CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH";

void CheckConvolutionShapes() {
  const auto refused = [](const std::string& what, const Dims& x, const Dims& w, const Dims& y) {
    RequireRefusedBuild(what, kBad, [&](Graph* g) {
      const auto type = CUDNN_DATA_FLOAT;
      g->Convolve(Graph::kForward, g->Add(type, x), g->Add(type, w), g->Add(type, y), {{1, 1}});
    });
  };
  refused("w of 3 channels for x of 8", kImage, {8, 3, 3, 3}, kImage);
  refused("outputs that two groups do not divide", kImage, {7, 4, 3, 3}, {2, 7, 5, 5});
  refused("y of another height", kImage, kFilter, {2, 8, 4, 5});
  refused("y of another batch", kImage, kFilter, {3, 8, 5, 5});
  refused("y of other channels", kImage, kFilter, {2, 9, 5, 5});
  refused("a filter larger than the image", {2, 8, 2, 2}, {8, 8, 5, 5}, {2, 8, 1, 1});
  refused("rank 3", {2, 8, 5}, {8, 8, 3}, {2, 8, 5});
}

void CheckOtherShapes() {
  const auto type = CUDNN_DATA_FLOAT;
  const auto add = [&](Graph* g, const Dims& dims) { return g->Add(type, dims); };
  RequireRefusedBuild("b that does not broadcast", kShape, [&](Graph* g) {
    g->Point(CUDNN_POINTWISE_ADD, add(g, kImage), add(g, {1, 3, 1, 1}), add(g, kImage));
  });
  RequireRefusedBuild("y of another shape", kShape, [&](Graph* g) {
    g->Point(CUDNN_POINTWISE_RELU_FWD, add(g, kImage), add(g, {2, 8, 5, 4}));
  });
  RequireRefusedBuild("another rank", kShape,
                      [&](Graph* g) { g->Point(CUDNN_POINTWISE_ADD, add(g, kImage), add(g, {8}), add(g, kImage)); });
  RequireRefusedBuild("addition without b", kBad,
                      [&](Graph* g) { g->Point(CUDNN_POINTWISE_ADD, add(g, kImage), add(g, kImage)); });
  RequireRefusedBuild("ReLU with b", kBad, [&](Graph* g) {
    g->Point(CUDNN_POINTWISE_RELU_FWD, add(g, kImage), add(g, kImage), add(g, kImage));
  });
  RequireRefusedBuild("a mode that is not emulated", "CUDNN_STATUS_NOT_SUPPORTED",
                      [&](Graph* g) { g->Point(CUDNN_POINTWISE_GEN_INDEX, add(g, kImage), add(g, kImage)); });
  RequireRefusedBuild("pooled y of another size", kBad, [&](Graph* g) {
    g->Resample({}, add(g, {2, 8, 4, 4}), add(g, {2, 8, 3, 2}));
  });
  RequireRefusedBuild("pooled y of other channels", kBad, [&](Graph* g) {
    g->Resample({}, add(g, {2, 8, 4, 4}), add(g, {2, 4, 2, 2}));
  });
  RequireRefusedBuild("an index of another shape", kShape, [&](Graph* g) {
    const Graph::Tensor index = g->Add(CUDNN_DATA_INT8, {2, 8, 2, 1});
    g->Resample({}, add(g, {2, 8, 4, 4}), add(g, {2, 8, 2, 2}), &index);
  });
  RequireRefusedBuild("max pooling backward without index", kBad, [&](Graph* g) {
    g->ResampleBackward({}, add(g, {2, 8, 2, 2}), add(g, {2, 8, 4, 4}));
  });
  RequireRefusedBuild("normalised y of another shape", kShape, [&](Graph* g) {
    g->NormForward(add(g, kImage), add(g, {2, 8, 5, 4}), 8);
  });
  RequireRefusedBuild("scale of other channels", kShape,
                      [&](Graph* g) { g->NormForward(add(g, kImage), add(g, kImage), 4); });
  RequireRefusedBuild("gradient of other channels", kShape,
                      [&](Graph* g) { g->NormBackward(add(g, kImage), add(g, kImage), add(g, kImage), 4); });
  RequireRefusedBuild("a reduction to another shape", kShape, [&](Graph* g) {
    g->Reduce(CUDNN_REDUCE_TENSOR_ADD, add(g, kImage), add(g, {1, 3, 1, 1}));
  });
}

// A norm forward operation that lacks one attribute.
void CheckNormAttributes() {
  static const cudnnBackendAttributeName_t kPorts[] = {CUDNN_ATTR_OPERATION_NORM_FWD_XDESC,
                                                       CUDNN_ATTR_OPERATION_NORM_FWD_YDESC,
                                                       CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC,
                                                       CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC,
                                                       CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC,
                                                       CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC,
                                                       CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC,
                                                       CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC,
                                                       CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC,
                                                       CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC,
                                                       CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC,
                                                       CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC};
  for (int left_out = -1; left_out < 12; ++left_out) {
    Graph graph;
    Descriptor operation(CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR);
    operation.Set<int>(CUDNN_ATTR_OPERATION_NORM_FWD_MODE, CUDNN_TYPE_NORM_MODE, {CUDNN_BATCH_NORM})
        .Set<int>(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE, CUDNN_TYPE_NORM_FWD_PHASE, {CUDNN_NORM_FWD_TRAINING});
    for (int i = 0; i < 12; ++i) {
      if (i == left_out) continue;
      const Graph::Tensor tensor = i < 2              ? graph.Add(CUDNN_DATA_FLOAT, kImage)
                                   : i == 6 || i == 7 ? graph.Scalar()
                                                      : graph.Add(CUDNN_DATA_FLOAT, kChannels);
      operation.Set(kPorts[i], graph.At(tensor));
    }
    RequireStatus(operation.TryFinalize(), left_out < 0 ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM,
                  "without port " + std::to_string(left_out));
  }
}

void CheckGraphs() {
  const auto type = CUDNN_DATA_FLOAT;
  RequireRefusedBuild("one id for two tensors", "CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES", [&](Graph* g) {
    TensorOptions same;
    same.uid = 7;
    g->Point(CUDNN_POINTWISE_RELU_FWD, g->Add(type, kImage, same), g->Add(CUDNN_DATA_HALF, kImage, same));
    g->Finish();
  });
  RequireRefusedBuild("a tensor written twice", kBad, [&](Graph* g) {
    const Graph::Tensor x = g->Add(type, kImage), y = g->Add(type, kImage);
    g->Point(CUDNN_POINTWISE_RELU_FWD, x, y);
    g->Point(CUDNN_POINTWISE_NEG, x, y);
    g->Finish();
  });
  RequireRefusedBuild("a cycle", kBad, [&](Graph* g) {
    const Graph::Tensor a = g->Virtual(kImage), b = g->Virtual(kImage);
    g->Point(CUDNN_POINTWISE_RELU_FWD, a, b);
    g->Point(CUDNN_POINTWISE_RELU_FWD, b, a);
    g->Finish();
  });
  RequireRefusedBuild("a virtual tensor that nothing writes", kBad, [&](Graph* g) {
    g->Point(CUDNN_POINTWISE_RELU_FWD, g->Virtual(kImage), g->Add(type, kImage));
    g->Finish();
  });
  RequireRefusedBuild("a tensor by value that is written", kBad, [&](Graph* g) {
    g->Point(CUDNN_POINTWISE_RELU_FWD, g->Add(type, {1, 1, 1, 1}), g->Scalar());
    g->Finish();
  });
  Descriptor empty(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  RequireStatus(empty.TryFinalize(), CUDNN_STATUS_BAD_PARAM, "a graph without operations");
}

}  // namespace

void AddOperationRefusalChecks(std::vector<Check>* checks) {
  checks->push_back({"refusals: shapes of convolutions", CheckConvolutionShapes});
  checks->push_back({"refusals: shapes of other operations", CheckOtherShapes});
  checks->push_back({"refusals: what a normalisation needs", CheckNormAttributes});
  checks->push_back({"refusals: graphs", CheckGraphs});
}

}  // namespace residua::cudnn_test
