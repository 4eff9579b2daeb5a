// Runs the graphs of test/fixtures/cudnn_graphs.txt and compares with what PyTorch computed.
#include <cmath>
#include <memory>

#include "cuda_emulation/cudnn_fixture.h"

namespace residua::cudnn_test {
namespace {

// A fixture's graph under construction: tensors by name, memory for those that have any.
class Case {
 public:
  explicit Case(const Fixture& fixture) : fixture(fixture) {}

  Graph::Tensor Tensor(const std::string& name) {
    const auto known = tensors_.find(name);
    if (known != tensors_.end()) return known->second;
    const bool is_input = fixture.inputs.count(name) != 0;
    const FixtureTensor& tensor = is_input ? fixture.inputs.at(name) : fixture.outputs.at(name);
    return Bind(name, graph.Add(tensor.type, tensor.dims), tensor, is_input);
  }
  // A tensor that the graph made already.
  Graph::Tensor Bind(const std::string& name, Graph::Tensor id) {
    const bool is_input = fixture.inputs.count(name) != 0;
    return Bind(name, id, is_input ? fixture.inputs.at(name) : fixture.outputs.at(name), is_input);
  }
  void BindPointer(Graph::Tensor id, void* memory) { pointers_.emplace_back(id.uid, memory); }
  void BindScalar(Graph::Tensor id, double value) {
    scalars_.push_back(std::make_unique<float>(static_cast<float>(value)));
    pointers_.emplace_back(id.uid, scalars_.back().get());
  }
  Dims DimsOf(const std::string& name) const {
    return (fixture.inputs.count(name) != 0 ? fixture.inputs : fixture.outputs).at(name).dims;
  }

  // Runs the graph with every engine that there is; each must give PyTorch's results.
  void Run() {
    const Descriptor finished = graph.Finish();
    int plans = 0;
    for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
      for (const Descriptor& configuration : Configurations(finished, mode)) {
        if (fixture.NumberOr("beta", 0) != 0) memory_.at("y") = MakeMemory(fixture.inputs.at("y"));
        Execute(MakePlan(configuration), AllPointers());
        for (const auto& [name, expected] : fixture.outputs) Compare(name, expected);
        ++plans;
      }
    }
    Require(plans >= 2, "expected two engines or more, got " + std::to_string(plans));
  }

  const Fixture& fixture;
  Graph graph;

 private:
  static std::shared_ptr<DeviceTensor> MakeMemory(const FixtureTensor& tensor) {
    return std::make_shared<DeviceTensor>(tensor.type, tensor.dims, tensor.values);
  }

  Graph::Tensor Bind(const std::string& name, Graph::Tensor id, const FixtureTensor& tensor, bool is_input) {
    memory_[name] = is_input ? MakeMemory(tensor) : std::make_shared<DeviceTensor>(tensor.type, tensor.dims);
    tensors_[name] = id;
    return id;
  }

  Pointers AllPointers() const {
    Pointers pointers = pointers_;
    for (const auto& [name, id] : tensors_) pointers.emplace_back(id.uid, memory_.at(name)->get());
    return pointers;
  }

  void Compare(const std::string& name, const FixtureTensor& expected) const {
    const std::vector<float> got = memory_.at(name)->Read();
    float largest = 1e-3f;
    for (const float value : expected.values) largest = std::max(largest, std::fabs(value));
    // One unit in the last place of the result's type, and sums of floats.
    const float relative = expected.type == CUDNN_DATA_BFLOAT16 ? 1.0f / 256
                           : expected.type == CUDNN_DATA_HALF   ? 1.0f / 2048
                                                                : 2e-6f;
    for (size_t i = 0; i < got.size(); ++i) {
      const float tolerance =
          expected.type == CUDNN_DATA_BOOLEAN ? 0 : relative * std::fabs(expected.values[i]) + 3e-6f * largest;
      if (std::fabs(got[i] - expected.values[i]) <= tolerance) continue;
      Fail(name + "[" + std::to_string(i) + "]: expected " + std::to_string(expected.values[i]) + ", got " +
           std::to_string(got[i]));
    }
  }

  std::map<std::string, Graph::Tensor> tensors_;
  std::map<std::string, std::shared_ptr<DeviceTensor>> memory_;
  std::vector<std::unique_ptr<float>> scalars_;
  Pointers pointers_;
};

Graph::Convolution ConvolutionOf(const Fixture& fixture) {
  Graph::Convolution options;
  options.padding = fixture.Integers("padding");
  options.strides = fixture.Integers("strides");
  options.dilation = fixture.Integers("dilation");
  if (fixture.numbers.count("after") != 0) options.after = fixture.Integers("after");
  options.turned = fixture.NumberOr("turned", 0) != 0;
  options.alpha = static_cast<float>(fixture.NumberOr("alpha", 1));
  options.beta = static_cast<float>(fixture.NumberOr("beta", 0));
  return options;
}

void BuildConvolution(Case* c) {
  const std::string& kind = c->fixture.kind;
  const Graph::Convolution options = ConvolutionOf(c->fixture);
  if (kind == "convolution_bias_relu") {
    const Graph::Tensor product = c->graph.Virtual(c->DimsOf("y")), sum = c->graph.Virtual(c->DimsOf("y"));
    c->graph.Convolve(Graph::kForward, c->Tensor("x"), c->Tensor("w"), product, options);
    c->graph.Point(CUDNN_POINTWISE_ADD, product, c->Tensor("b"), sum);
    return c->graph.Point(CUDNN_POINTWISE_RELU_FWD, sum, c->Tensor("y"));
  }
  const Graph::Pass pass = kind == "convolution_backward_data"     ? Graph::kBackwardData
                           : kind == "convolution_backward_filter" ? Graph::kBackwardFilter
                                                                   : Graph::kForward;
  c->graph.Convolve(pass, c->Tensor("x"), c->Tensor("w"), c->Tensor("y"), options);
  if (kind == "convolution_statistics") {
    c->graph.Statistics(c->Tensor("y"), c->Tensor("sum"), c->Tensor("squares"));
  }
}

void BuildNormForward(Case* c) {
  const std::string& kind = c->fixture.kind;
  const auto has = [&](const char* word) { return kind.find(word) != std::string::npos; };
  const Dims dims = c->DimsOf("x");
  Graph::Tensor last = has("relu") ? c->graph.Virtual(dims) : c->Tensor("y");
  const Graph::Norm norm = c->graph.NormForward(c->Tensor("x"), last, dims[1]);
  c->Bind("scale", norm.scale);
  c->Bind("bias", norm.bias);
  c->Bind("running_mean", norm.running_mean);
  c->Bind("running_variance", norm.running_variance);
  c->Bind("mean", norm.mean);
  c->Bind("inverse", norm.inverse);
  c->Bind("next_mean", norm.next_mean);
  c->Bind("next_variance", norm.next_variance);
  c->BindScalar(norm.epsilon, c->fixture.NumberOr("epsilon", 0));
  c->BindScalar(norm.factor, c->fixture.NumberOr("factor", 0));
  if (has("add")) {
    const Graph::Tensor sum = c->graph.Virtual(dims);
    c->graph.Point(CUDNN_POINTWISE_ADD, last, c->Tensor("addend"), sum);
    last = sum;
  }
  if (has("relu")) c->graph.Point(CUDNN_POINTWISE_RELU_FWD, last, c->Tensor("y"));
  if (has("mask")) {
    const Graph::Tensor zero = c->graph.Scalar();
    c->BindScalar(zero, 0);
    c->graph.Point(CUDNN_POINTWISE_CMP_GT, c->Tensor("y"), zero, c->Tensor("mask"));
  }
}

void BuildNormBackward(Case* c) {
  const Dims dims = c->DimsOf("x");
  Graph::Tensor dy = c->Tensor("dy");
  if (c->fixture.kind == "norm_backward_masked") {
    const Graph::Tensor masked = c->graph.Virtual(dims, c->fixture.inputs.at("x").type);
    c->graph.Point(CUDNN_POINTWISE_MUL, dy, c->Tensor("mask"), masked);
    dy = masked;
  }
  const Graph::NormGradient norm = c->graph.NormBackward(c->Tensor("x"), dy, c->Tensor("dx"), dims[1]);
  c->Bind("scale", norm.scale);
  c->Bind("mean", norm.mean);
  c->Bind("inverse", norm.inverse);
  c->Bind("dscale", norm.dscale);
  c->Bind("dbias", norm.dbias);
}

void BuildPointwise(Case* c) {
  const auto mode = static_cast<cudnnPointwiseMode_t>(c->fixture.Integers("mode")[0]);
  std::map<cudnnBackendAttributeName_t, float> parameters;
  if (c->fixture.numbers.count("upper") != 0) {
    parameters[CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP] = static_cast<float>(c->fixture.NumberOr("upper", 0));
  }
  if (c->fixture.kind == "pointwise_backward") {
    return c->graph.PointBackward(mode, c->Tensor("x"), c->Tensor("b"), c->Tensor("y"), parameters);
  }
  Graph::Tensor b, t;
  const bool has_b = c->fixture.inputs.count("b") != 0, has_t = c->fixture.inputs.count("t") != 0;
  if (has_b) b = c->Tensor("b");
  if (has_t) t = c->Tensor("t");
  c->graph.PointAll(mode, c->Tensor("x"), has_b ? &b : nullptr, has_t ? &t : nullptr, c->Tensor("y"), parameters);
}

void RunGraph(const Fixture& fixture) {
  Case c(fixture);
  const std::string& kind = fixture.kind;
  if (kind.rfind("convolution", 0) == 0) {
    BuildConvolution(&c);
  } else if (kind.rfind("norm_backward", 0) == 0) {
    BuildNormBackward(&c);
  } else if (kind.rfind("norm_", 0) == 0) {
    BuildNormForward(&c);
  } else if (kind.rfind("pointwise", 0) == 0) {
    BuildPointwise(&c);
  } else if (kind == "reduction") {
    c.graph.Reduce(static_cast<cudnnReduceTensorOp_t>(fixture.Integers("operator")[0]), c.Tensor("x"), c.Tensor("y"));
  } else {
    Fail("A fixture has an unknown kind: " + kind);
  }
  c.Run();
}

// Forward and back: the index tensor of the one is the input of the other.
void RunPooling(const Fixture& fixture, cudnnDataType_t index_type) {
  Graph::Pooling pooling;
  pooling.mode = fixture.kind == "max_pooling"       ? CUDNN_RESAMPLE_MAXPOOL
                 : fixture.kind == "average_pooling" ? CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING
                                                     : CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING;
  pooling.window = fixture.Integers("window");
  pooling.strides = fixture.Integers("strides");
  pooling.padding = fixture.Integers("padding");
  const bool maximum = pooling.mode == CUDNN_RESAMPLE_MAXPOOL;
  const Dims y_dims = fixture.outputs.at("y").dims;
  const DeviceTensor index_memory(index_type, y_dims);

  Fixture forward = fixture, backward = fixture;
  forward.outputs.erase("dx");
  backward.outputs.erase("y");
  const auto run = [&](const Fixture& part, bool going_back) {
    Case c(part);
    const Graph::Tensor index = c.graph.Add(index_type, y_dims);
    if (going_back) {
      c.graph.ResampleBackward(pooling, c.Tensor("dy"), c.Tensor("dx"), maximum ? &index : nullptr);
    } else {
      c.graph.Resample(pooling, c.Tensor("x"), c.Tensor("y"), maximum ? &index : nullptr);
    }
    if (maximum) c.BindPointer(index, index_memory.get());
    c.Run();
  };
  run(forward, false);
  run(backward, true);
}

}  // namespace

void AddFixtureChecks(const std::string& path, std::vector<Check>* checks) {
  for (const Fixture& fixture : ReadFixtures(path)) {
    const bool pooling = fixture.kind.find("pooling") != std::string::npos;
    checks->push_back({"PyTorch: " + fixture.name, [fixture, pooling] {
                         if (!pooling) return RunGraph(fixture);
                         RunPooling(fixture, CUDNN_DATA_INT8);
                         RunPooling(fixture, CUDNN_DATA_INT32);
                       }});
  }
}

}  // namespace residua::cudnn_test
