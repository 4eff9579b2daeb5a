// Which graphs have engines: as cuDNN 9.24 answers for an H100 (README.md).
#include "cuda_emulation/cudnn_test_support.h"

namespace residua::cudnn_test {
namespace {

using Build = std::function<void(Graph*)>;

void Expect(std::vector<Check>* checks, const std::string& name, bool supported, const Build& build) {
  checks->push_back({std::string("engines: ") + (supported ? "some for " : "none for ") + name, [supported, build] {
                       Graph graph;
                       build(&graph);
                       Require(HasEngine(graph) == supported, supported ? "there is none" : "there is one");
                     }});
}

Dims Channels(int64_t channels) { return {1, channels, 1, 1}; }

std::string TypeName(cudnnDataType_t type) {
  return type == CUDNN_DATA_FLOAT ? " of float" : type == CUDNN_DATA_HALF ? " of half" : " of bfloat16";
}

enum class Tail { kNone, kRelu, kReluMask, kAdd, kAddRelu, kAddReluMask, kLeaky, kGreaterEqual, kMaskOfBytes };

Build Norm(cudnnDataType_t type, int64_t channels, Tail tail = Tail::kNone,
           cudnnBackendNormFwdPhase_t phase = CUDNN_NORM_FWD_TRAINING) {
  return [=](Graph* g) {
    const Dims dims = {2, channels, 5, 5};
    Graph::Tensor last = tail == Tail::kNone ? g->Add(type, dims) : g->Virtual(dims);
    g->NormForward(g->Add(type, dims), last, channels, phase);
    if (tail == Tail::kNone) return;
    if (tail == Tail::kAdd || tail == Tail::kAddRelu || tail == Tail::kAddReluMask) {
      const Graph::Tensor sum = tail == Tail::kAdd ? g->Add(type, dims) : g->Virtual(dims);
      g->Point(CUDNN_POINTWISE_ADD, last, g->Add(type, dims), sum);
      last = sum;
    }
    if (tail == Tail::kAdd) return;
    const Graph::Tensor relu = g->Add(type, dims);
    const std::map<cudnnBackendAttributeName_t, float> slope = {{CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, 0.1f}};
    g->PointAll(CUDNN_POINTWISE_RELU_FWD, last, nullptr, nullptr, relu,
                tail == Tail::kLeaky ? slope : std::map<cudnnBackendAttributeName_t, float>{});
    if (tail == Tail::kRelu || tail == Tail::kAddRelu || tail == Tail::kLeaky) return;
    const Graph::Tensor mask = g->Add(tail == Tail::kMaskOfBytes ? CUDNN_DATA_INT8 : CUDNN_DATA_BOOLEAN, dims);
    g->Point(tail == Tail::kGreaterEqual ? CUDNN_POINTWISE_CMP_GE : CUDNN_POINTWISE_CMP_GT, relu, g->Scalar(), mask);
  };
}

Build NormBackward(cudnnDataType_t type, int64_t channels) {
  return [=](Graph* g) {
    const Dims dims = {2, channels, 5, 5};
    g->NormBackward(g->Add(type, dims), g->Add(type, dims), g->Add(type, dims), channels);
  };
}

Build NormBackwardMasked(cudnnDataType_t product, cudnnDataType_t mask, bool is_virtual) {
  return [=](Graph* g) {
    const Dims dims = {2, 8, 5, 5};
    const auto type = CUDNN_DATA_BFLOAT16;
    const Graph::Tensor masked = is_virtual ? g->Virtual(dims, product) : g->Add(product, dims);
    g->Point(CUDNN_POINTWISE_MUL, g->Add(type, dims), g->Add(mask, dims), masked);
    g->NormBackward(g->Add(type, dims), masked, g->Add(type, dims), 8);
  };
}

void AddNorms(std::vector<Check>* checks) {
  for (const auto type : {CUDNN_DATA_FLOAT, CUDNN_DATA_BFLOAT16, CUDNN_DATA_HALF}) {
    for (const int64_t channels : {1, 2, 3, 4, 6, 8, 12, 16, 20}) {
      const bool supported = channels % (type == CUDNN_DATA_FLOAT ? 4 : 8) == 0;
      const std::string name = std::to_string(channels) + " channels" + TypeName(type);
      Expect(checks, "normalisation, " + name, supported, Norm(type, channels));
      Expect(checks, "normalisation backward, " + name, supported, NormBackward(type, channels));
    }
  }
  const auto type = CUDNN_DATA_BFLOAT16;
  Expect(checks, "normalisation, ReLU", true, Norm(type, 8, Tail::kRelu));
  Expect(checks, "normalisation, ReLU, mask", true, Norm(type, 8, Tail::kReluMask));
  Expect(checks, "normalisation, addition, ReLU", true, Norm(type, 8, Tail::kAddRelu));
  Expect(checks, "normalisation, addition, ReLU, mask", true, Norm(type, 8, Tail::kAddReluMask));
  Expect(checks, "normalisation, addition without ReLU", false, Norm(type, 8, Tail::kAdd));
  Expect(checks, "normalisation, leaky ReLU", false, Norm(type, 8, Tail::kLeaky));
  Expect(checks, "normalisation, mask by >=", false, Norm(type, 8, Tail::kGreaterEqual));
  Expect(checks, "normalisation, mask of bytes", false, Norm(type, 8, Tail::kMaskOfBytes));
  Expect(checks, "normalisation backward, virtual masked dy", true, NormBackwardMasked(type, CUDNN_DATA_BOOLEAN, true));
  Expect(checks, "normalisation backward, written masked dy", true,
         NormBackwardMasked(type, CUDNN_DATA_BOOLEAN, false));
  Expect(checks, "normalisation backward, virtual float masked dy", false,
         NormBackwardMasked(CUDNN_DATA_FLOAT, CUDNN_DATA_BOOLEAN, true));
  Expect(checks, "normalisation backward, mask of another type", false, NormBackwardMasked(type, type, true));
  checks->push_back({"engines: heuristics refuse normalisation with given statistics", [] {
                       Graph graph;
                       Norm(CUDNN_DATA_FLOAT, 8, Tail::kNone, CUDNN_NORM_FWD_INFERENCE)(&graph);
                       const Descriptor finished = graph.Finish();
                       Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
                       heuristics.Set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, finished)
                           .Set<int>(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, {CUDNN_HEUR_MODE_A});
                       RequireStatus(heuristics.TryFinalize(), CUDNN_STATUS_NOT_SUPPORTED, "finalising");
                     }});
}

Build Pool(cudnnResampleMode_t mode, int padding_mode, cudnnDataType_t index_type, bool nhwc, bool backward,
           int64_t channels = 3) {
  return [=](Graph* g) {
    const Dims x_dims = {2, channels, 12, 12}, y_dims = {2, channels, 6, 6};
    TensorOptions x_options, y_options;
    x_options.alignment = y_options.alignment = 16;
    if (!nhwc) {
      x_options.strides = NchwStrides(x_dims);
      y_options.strides = NchwStrides(y_dims);
    }
    const auto type = CUDNN_DATA_BFLOAT16;
    const Graph::Tensor x = g->Add(type, x_dims, x_options), y = g->Add(type, y_dims, y_options);
    Graph::Pooling pooling;
    pooling.mode = mode;
    pooling.window = {3, 3};
    pooling.padding = {1, 1};
    pooling.padding_mode = padding_mode;
    Graph::Tensor index;
    const bool indexed = index_type != CUDNN_DATA_FLOAT;  // float: none
    if (indexed) index = g->Add(index_type, y_dims, y_options);
    if (backward) {
      g->ResampleBackward(pooling, y, x, indexed ? &index : nullptr);
    } else {
      g->Resample(pooling, x, y, indexed ? &index : nullptr);
    }
  };
}

void AddPoolings(std::vector<Check>* checks) {
  const auto none = CUDNN_DATA_FLOAT;
  const auto maximum = CUDNN_RESAMPLE_MAXPOOL;
  const auto average = CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING;
  for (const int64_t channels : {1, 3, 4, 5, 8}) {
    const std::string name = ", " + std::to_string(channels) + " channels";
    Expect(checks, "max pooling" + name, true,
           Pool(maximum, CUDNN_NEG_INF_PAD, CUDNN_DATA_INT8, true, false, channels));
    Expect(checks, "max pooling backward" + name, true,
           Pool(maximum, CUDNN_NEG_INF_PAD, CUDNN_DATA_INT8, true, true, channels));
  }
  Expect(checks, "max pooling without index", true, Pool(maximum, CUDNN_NEG_INF_PAD, none, true, false));
  Expect(checks, "max pooling padded by zeros", false, Pool(maximum, CUDNN_ZERO_PAD, none, true, false));
  Expect(checks, "max pooling, index of int64", true, Pool(maximum, CUDNN_NEG_INF_PAD, CUDNN_DATA_INT64, true, false));
  Expect(checks, "max pooling backward, index of int64", false,
         Pool(maximum, CUDNN_NEG_INF_PAD, CUDNN_DATA_INT64, true, true, 8));
  Expect(checks, "max pooling in NCHW", true, Pool(maximum, CUDNN_NEG_INF_PAD, none, false, false));
  Expect(checks, "max pooling in NCHW with index", false,
         Pool(maximum, CUDNN_NEG_INF_PAD, CUDNN_DATA_INT8, false, false));
  Expect(checks, "average pooling", true, Pool(average, CUDNN_ZERO_PAD, none, true, false));
  Expect(checks, "average pooling backward", true, Pool(average, CUDNN_ZERO_PAD, none, true, true));
  Expect(checks, "average pooling padded by minus infinity", false,
         Pool(average, CUDNN_NEG_INF_PAD, none, true, false));
}

Build Convolution(cudnnDataType_t x_type, cudnnDataType_t w_type, int64_t inputs, int64_t outputs) {
  return [=](Graph* g) {
    g->Convolve(Graph::kForward, g->Add(x_type, {2, inputs, 5, 5}), g->Add(w_type, {outputs, inputs, 3, 3}),
                g->Add(x_type, {2, outputs, 5, 5}), {{1, 1}});
  };
}

// A forward convolution, 3 to 6 channels, whose float result `add_rest` uses.
Build Fused(bool is_virtual, const std::function<void(Graph*, Graph::Tensor, const Dims&)>& add_rest) {
  return [=](Graph* g) {
    const auto type = CUDNN_DATA_BFLOAT16;
    const Dims y_dims = {2, 6, 5, 5};
    const Graph::Tensor y = is_virtual ? g->Virtual(y_dims) : g->Add(type, y_dims);
    g->Convolve(Graph::kForward, g->Add(type, {2, 3, 5, 5}), g->Add(type, {6, 3, 3, 3}), y, {{1, 1}});
    add_rest(g, y, y_dims);
  };
}

void AddConvolutions(std::vector<Check>* checks) {
  const auto type = CUDNN_DATA_BFLOAT16;
  for (const int64_t channels : {1, 3, 5, 64}) {
    Expect(checks, "convolution from " + std::to_string(channels) + " channels", true,
           Convolution(type, type, channels, channels + 2));
  }
  Expect(checks, "convolution of float by bfloat16", false, Convolution(CUDNN_DATA_FLOAT, type, 3, 4));
  Expect(checks, "convolution of int8", false, Convolution(CUDNN_DATA_INT8, CUDNN_DATA_INT8, 4, 4));
  Expect(checks, "convolution, bias, ReLU", true, Fused(true, [=](Graph* g, Graph::Tensor y, const Dims& dims) {
           const Graph::Tensor sum = g->Virtual(dims);
           g->Point(CUDNN_POINTWISE_ADD, y, g->Add(type, Channels(6)), sum);
           g->Point(CUDNN_POINTWISE_RELU_FWD, sum, g->Add(type, dims));
         }));
  Expect(checks, "convolution with statistics", true, Fused(false, [=](Graph* g, Graph::Tensor y, const Dims&) {
           g->Statistics(y, g->Add(CUDNN_DATA_FLOAT, Channels(6)), g->Add(CUDNN_DATA_FLOAT, Channels(6)));
         }));
  Expect(checks, "two convolutions", false,
         Fused(false, [=](Graph* g, Graph::Tensor, const Dims&) { Convolution(type, type, 3, 6)(g); }));
  Expect(checks, "convolution beside another operation", true,
         Fused(false, [=](Graph* g, Graph::Tensor, const Dims& dims) {
           g->Point(CUDNN_POINTWISE_RELU_FWD, g->Add(type, dims), g->Add(type, dims));
         }));
  Expect(checks, "convolution, ReLU of the written result", true,
         Fused(false, [=](Graph* g, Graph::Tensor y, const Dims& dims) {
           g->Point(CUDNN_POINTWISE_RELU_FWD, y, g->Add(type, dims));
         }));
  Expect(checks, "ReLU before a filter gradient", false, [=](Graph* g) {
    const Dims dims = {2, 8, 5, 5};
    const Graph::Tensor x = g->Virtual(dims, type);
    g->Point(CUDNN_POINTWISE_RELU_FWD, g->Add(type, dims), x);
    g->Convolve(Graph::kBackwardFilter, x, g->Add(type, {8, 8, 3, 3}), g->Add(type, dims), {{1, 1}});
  });
  Expect(checks, "filter gradient, then a conversion", true, [=](Graph* g) {
    const Dims dims = {2, 8, 5, 5}, filter = {8, 8, 3, 3};
    const Graph::Tensor w = g->Virtual(filter);
    g->Convolve(Graph::kBackwardFilter, g->Add(type, dims), w, g->Add(type, dims), {{1, 1}});
    g->Point(CUDNN_POINTWISE_IDENTITY, w, g->Add(CUDNN_DATA_FLOAT, filter));
  });
  Expect(checks, "ReLU backward behind a data gradient", true, [=](Graph* g) {
    const Dims dims = {2, 3, 5, 5};
    const Graph::Tensor x = g->Virtual(dims);
    g->Convolve(Graph::kBackwardData, x, g->Add(type, {8, 3, 3, 3}), g->Add(type, {2, 8, 5, 5}), {{1, 1}});
    g->PointBackward(CUDNN_POINTWISE_RELU_BWD, g->Add(type, dims), x, g->Add(type, dims));
  });
}

Build Pointwise(const Dims& dims, const Dims& strides) {
  return [=](Graph* g) {
    TensorOptions options;
    options.strides = strides;
    g->Point(CUDNN_POINTWISE_RELU_FWD, g->Add(CUDNN_DATA_FLOAT, dims, options),
             g->Add(CUDNN_DATA_FLOAT, dims, options));
  };
}

Build Reduction(const Dims& target, cudnnDataType_t type, cudnnReduceTensorOp_t operation = CUDNN_REDUCE_TENSOR_ADD) {
  return [=](Graph* g) { g->Reduce(operation, g->Add(CUDNN_DATA_FLOAT, {2, 8, 5, 5}), g->Add(type, target)); };
}

void AddPointwise(std::vector<Check>* checks) {
  const Dims dims = {2, 3, 5, 5}, one = {2, 1, 5, 5};
  Expect(checks, "pointwise in NHWC", true, Pointwise(dims, NhwcStrides(dims)));
  Expect(checks, "pointwise in NCHW", false, Pointwise(dims, NchwStrides(dims)));
  Expect(checks, "pointwise of one channel", false, Pointwise(one, NhwcStrides(one)));
  Expect(checks, "pointwise of rank 2", false, Pointwise({4, 8}, {8, 1}));
  Expect(checks, "pointwise of rank 3", true, Pointwise({1, 4, 8}, {32, 8, 1}));
  Expect(checks, "statistics alone", false, [](Graph* g) {
    g->Statistics(g->Add(CUDNN_DATA_FLOAT, {2, 8, 5, 5}), g->Add(CUDNN_DATA_FLOAT, Channels(8)),
                  g->Add(CUDNN_DATA_FLOAT, Channels(8)));
  });
  Expect(checks, "reduction to channels", true, Reduction(Channels(8), CUDNN_DATA_FLOAT));
  Expect(checks, "reduction to one value", true, Reduction({1, 1, 1, 1}, CUDNN_DATA_FLOAT));
  Expect(checks, "reduction over channels", true, Reduction({2, 1, 5, 5}, CUDNN_DATA_FLOAT));
  Expect(checks, "reduction over pixels", false, Reduction({2, 8, 1, 1}, CUDNN_DATA_FLOAT));
  Expect(checks, "reduction to bfloat16", false, Reduction(Channels(8), CUDNN_DATA_BFLOAT16));
  Expect(checks, "reduction by multiplying", false, Reduction(Channels(8), CUDNN_DATA_FLOAT, CUDNN_REDUCE_TENSOR_MUL));
}

}  // namespace

void AddSupportChecks(std::vector<Check>* checks) {
  AddNorms(checks);
  AddPoolings(checks);
  AddConvolutions(checks);
  AddPointwise(checks);
}

}  // namespace residua::cudnn_test
