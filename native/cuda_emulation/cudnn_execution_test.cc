// Execution: what the variant pack must hold, memory that is shared, the order of things in streams.
#include <cmath>

#include "cuda_emulation/cudnn_test_support.h"

namespace residua::cudnn_test {
namespace {

const Dims kDims = {1, 2, 1, 2};

// y = x + b on one engine of its own.
struct Sum {
  Graph graph;
  Graph::Tensor x, b, y;
  Descriptor plan;
  DeviceTensor x_memory, b_memory, y_memory;

  explicit Sum(size_t engine = 0, const TensorOptions& y_options = {})
      : plan(Make(engine, y_options)),
        x_memory(CUDNN_DATA_FLOAT, kDims, {1, 2, 3, 4}),
        b_memory(CUDNN_DATA_FLOAT, kDims, {10, 20, 30, 40}),
        y_memory(CUDNN_DATA_FLOAT, kDims, {0, 0, 0, 0}) {}

  Pointers All() const { return {{x.uid, x_memory.get()}, {b.uid, b_memory.get()}, {y.uid, y_memory.get()}}; }
  void RequireDone() const {
    Require(y_memory.Read() == std::vector<float>{11, 22, 33, 44}, "the sum was not computed");
  }

 private:
  Descriptor Make(size_t engine, const TensorOptions& y_options) {
    x = graph.Add(CUDNN_DATA_FLOAT, kDims);
    b = graph.Add(CUDNN_DATA_FLOAT, kDims);
    y = graph.Add(CUDNN_DATA_FLOAT, kDims, y_options);
    graph.Point(CUDNN_POINTWISE_ADD, x, b, y);
    const Descriptor finished = graph.Finish();
    return MakePlan(Configurations(finished, CUDNN_HEUR_MODE_A)[engine]);
  }
};

void CheckPacks() {
  const Sum sum;
  const auto refused = [&](const Pointers& pointers, cudnnStatus_t status, const char* what) {
    RequireStatus(TryExecute(sum.plan, pointers, nullptr), status, what);
  };
  Pointers pointers = sum.All();
  pointers.pop_back();
  refused(pointers, CUDNN_STATUS_BAD_PARAM, "a tensor is missing");
  pointers = sum.All();
  pointers.emplace_back(9999, sum.x_memory.get());
  refused(pointers, CUDNN_STATUS_BAD_PARAM, "a tensor too many");
  pointers = sum.All();
  pointers.emplace_back(sum.x.uid, sum.x_memory.get());
  refused(pointers, CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES, "a tensor twice");
  pointers = sum.All();
  pointers[0].second = nullptr;
  refused(pointers, CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "a null pointer");
  std::vector<float> host(4);
  pointers[0].second = host.data();
  refused(pointers, CUDNN_STATUS_BAD_PARAM, "a pointer to the host");
  pointers[0].second = static_cast<char*>(sum.x_memory.get()) + 4;
  refused(pointers, CUDNN_STATUS_BAD_PARAM, "a tensor beyond its allocation");
  pointers[0].second = static_cast<char*>(sum.x_memory.get()) + 1;
  refused(pointers, CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER, "a misaligned pointer");
  Require(sum.y_memory.Read() == std::vector<float>(4, 0.0f), "nothing ran");

  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.Set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, Dims{1, 2})
      .Set<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, {nullptr})
      .Set<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, {nullptr});
  RequireStatus(cudnnBackendExecute(TestHandle(), sum.plan.get(), pack.get()), CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED,
                "a pack that is not finalised");
  RequireStatus(pack.TryFinalize(), CUDNN_STATUS_BAD_PARAM, "two ids, one pointer");
  RequireStatus(cudnnBackendExecute(TestHandle(), pack.get(), pack.get()), CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE,
                "a pack for a plan");
}

void CheckWorkspace() {
  const Sum sum(1);
  const auto bytes = static_cast<size_t>(sum.plan.Integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
  Require(bytes == 512, "the second engine needs 512 bytes");
  RequireStatus(TryExecute(sum.plan, sum.All(), nullptr), CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no workspace");
  void* small = nullptr;
  MustCuda(cudaMalloc(&small, bytes - 1));
  RequireStatus(TryExecute(sum.plan, sum.All(), small), CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT, "a small workspace");
  MustCuda(cudaFree(small));
  const DeviceTensor workspace(CUDNN_DATA_FLOAT, {1, 128, 1, 1}, std::vector<float>(128, 1.0f));
  MUST(TryExecute(sum.plan, sum.All(), workspace.get()));
  sum.RequireDone();
  Require(std::isnan(workspace.Read()[127]), "the workspace is overwritten");
}

void CheckSharedResults() {
  Graph graph;
  const Graph::Tensor x = graph.Add(CUDNN_DATA_FLOAT, kDims), y = graph.Add(CUDNN_DATA_FLOAT, kDims),
                      z = graph.Add(CUDNN_DATA_FLOAT, kDims);
  graph.Point(CUDNN_POINTWISE_NEG, x, y);
  graph.Point(CUDNN_POINTWISE_ABS, x, z);
  const Descriptor finished = graph.Finish();
  const Descriptor plan = MakePlan(Configurations(finished, CUDNN_HEUR_MODE_A)[0]);
  const DeviceTensor values(CUDNN_DATA_FLOAT, kDims, {1, 2, 3, 4}), other(CUDNN_DATA_FLOAT, kDims);
  RequireStatus(TryExecute(plan, {{x.uid, values.get()}, {y.uid, other.get()}, {z.uid, other.get()}}, nullptr),
                CUDNN_STATUS_BAD_PARAM, "two results in one place");
  Execute(plan, {{x.uid, values.get()}, {y.uid, values.get()}, {z.uid, other.get()}});  // one over the input
  Require(values.Read() == std::vector<float>{-1, -2, -3, -4}, "the first result");
  Require(other.Read() == std::vector<float>{1, 2, 3, 4}, "the second result, of the old input");
}

void CheckByValue() {
  Graph graph;
  const Graph::Tensor x = graph.Add(CUDNN_DATA_FLOAT, kDims), factor = graph.Scalar(),
                      y = graph.Add(CUDNN_DATA_FLOAT, kDims);
  graph.Point(CUDNN_POINTWISE_MUL, x, factor, y);
  const Descriptor finished = graph.Finish();
  const Descriptor plan = MakePlan(Configurations(finished, CUDNN_HEUR_MODE_A)[0]);
  const DeviceTensor values(CUDNN_DATA_FLOAT, kDims, {1, 2, 3, 4}), result(CUDNN_DATA_FLOAT, kDims);
  float number = 3;
  const Pointers pointers = {{x.uid, values.get()}, {factor.uid, &number}, {y.uid, result.get()}};
  MUST(TryExecute(plan, pointers, nullptr));
  number = 100;  // it was read by the call
  Require(result.Read() == std::vector<float>{3, 6, 9, 12}, "times the value at the time of the call");
  RequireStatus(TryExecute(plan, {{x.uid, values.get()}, {factor.uid, values.get()}, {y.uid, result.get()}}, nullptr),
                CUDNN_STATUS_BAD_PARAM, "device memory for a value");
}

// The stream that work goes to, for the time of a check.
class StreamScope {
 public:
  StreamScope() {
    MustCuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    MUST(cudnnSetStream(TestHandle(), stream_));
  }
  ~StreamScope() {
    cudnnSetStream(TestHandle(), nullptr);
    cudaStreamDestroy(stream_);
  }
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

void CheckOrder() {
  const Sum sum;
  const StreamScope stream;
  cudaStream_t seen = nullptr;
  MUST(cudnnGetStream(TestHandle(), &seen));
  Require(seen == stream.get(), "the stream that was set");
  std::vector<float> host(4, -1.0f);
  void* pinned = nullptr;
  MustCuda(cudaMallocHost(&pinned, 16));
  float* copy = static_cast<float*>(pinned);
  copy[0] = -1;
  MUST(TryExecute(sum.plan, sum.All(), nullptr));
  MustCuda(cudaMemcpyAsync(pinned, sum.y_memory.get(), 16, cudaMemcpyDeviceToHost, stream.get()));
  Require(copy[0] == -1, "nothing runs before someone waits");
  MustCuda(cudaStreamSynchronize(stream.get()));
  Require(copy[0] == 11 && copy[3] == 44, "the copy behind the sum sees it");
  MustCuda(cudaFreeHost(pinned));
}

void CheckCapture() {
  const Sum sum;
  const StreamScope stream;
  cudaGraph_t captured = nullptr;
  cudaGraphExec_t executable = nullptr;
  MustCuda(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal));
  MUST(TryExecute(sum.plan, sum.All(), nullptr));
  MustCuda(cudaStreamEndCapture(stream.get(), &captured));
  MustCuda(cudaStreamSynchronize(stream.get()));
  Require(sum.y_memory.Read()[0] == 0, "captured work does not run");
  MustCuda(cudaGraphInstantiate(&executable, captured, 0));
  for (int launch = 1; launch <= 2; ++launch) {
    MustCuda(cudaGraphLaunch(executable, stream.get()));
    MustCuda(cudaStreamSynchronize(stream.get()));
    sum.RequireDone();
    MustCuda(cudaMemset(sum.y_memory.get(), 0, 16));
    MustCuda(cudaDeviceSynchronize());
  }
  MustCuda(cudaGraphExecDestroy(executable));
  MustCuda(cudaGraphDestroy(captured));
}

// A plan and its graph's descriptors may go before the work runs.
void CheckLifetime() {
  const StreamScope stream;
  DeviceTensor result(CUDNN_DATA_FLOAT, kDims, {0, 0, 0, 0});
  const DeviceTensor x(CUDNN_DATA_FLOAT, kDims, {1, 2, 3, 4}), b(CUDNN_DATA_FLOAT, kDims, {10, 20, 30, 40});
  {
    const Sum sum;
    MUST(TryExecute(sum.plan, {{sum.x.uid, x.get()}, {sum.b.uid, b.get()}, {sum.y.uid, result.get()}}, nullptr));
  }
  MustCuda(cudaStreamSynchronize(stream.get()));
  Require(result.Read() == std::vector<float>{11, 22, 33, 44}, "the sum was not computed");
}

}  // namespace

void AddExecutionChecks(std::vector<Check>* checks) {
  checks->push_back({"execution: what a variant pack must hold", CheckPacks});
  checks->push_back({"execution: workspace", CheckWorkspace});
  checks->push_back({"execution: results that share memory", CheckSharedResults});
  checks->push_back({"execution: tensors by value", CheckByValue});
  checks->push_back({"execution: order in a stream", CheckOrder});
  checks->push_back({"execution: capture and replay", CheckCapture});
  checks->push_back({"execution: descriptors gone before the work runs", CheckLifetime});
}

}  // namespace residua::cudnn_test
