// Plans, device memory and execution, for the checks of the emulated cuDNN.
#include "cuda_emulation/cudnn_tensor.h"
#include "cuda_emulation/cudnn_test_support.h"

namespace residua::cudnn_test {

namespace emulation = residua::cuda_emulation;

namespace {

emulation::TensorInfo InfoOf(cudnnDataType_t type, const Dims& dims) {
  emulation::TensorInfo info;
  info.type = type;
  info.dims = dims;
  info.strides = NhwcStrides(dims);
  return info;
}

// Offset in Values (n, d, h, w, c) of each element in NCHW order.
template <class Body>
void ForEachNchw(const emulation::Values& values, const Body& body) {
  size_t number = 0;
  for (int64_t n = 0; n < values.n(); ++n) {
    for (int64_t c = 0; c < values.c(); ++c) {
      for (int64_t h = 0; h < values.h(); ++h) {
        for (int64_t w = 0; w < values.w(); ++w) {
          body(number++, static_cast<size_t>(((n * values.h() + h) * values.w() + w) * values.c() + c));
        }
      }
    }
  }
}

}  // namespace

cudnnHandle_t TestHandle() {
  static cudnnHandle_t handle = [] {
    cudnnHandle_t created = nullptr;
    MUST(cudnnCreate(&created));
    return created;
  }();
  return handle;
}

std::vector<Descriptor> Configurations(const Descriptor& graph, cudnnBackendHeurMode_t mode) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.Set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
      .Set<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, {mode})
      .Finalize();
  int64_t count = 0;
  MUST(cudnnBackendGetAttribute(heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0,
                                &count, nullptr));
  std::vector<Descriptor> configurations;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < count; ++i) {
    configurations.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    raw.push_back(configurations.back().get());
  }
  if (count == 0) return configurations;
  MUST(cudnnBackendGetAttribute(heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count,
                                &count, raw.data()));
  return configurations;
}

bool HasEngine(const Graph& graph) {
  const Descriptor finished = graph.Finish();
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (const Descriptor& configuration : Configurations(finished, mode)) {
      MakePlan(configuration);
      return true;
    }
  }
  return false;
}

Descriptor MakePlan(const Descriptor& configuration) {
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.Set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration)
      .Set<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, {TestHandle()})
      .Finalize();
  return plan;
}

Descriptor MakeEngineOf(const Descriptor& configuration) {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = engine.get();
  int64_t count = 0;
  MUST(cudnnBackendGetAttribute(configuration.get(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                &count, &raw));
  return engine;
}

DeviceTensor::DeviceTensor(cudnnDataType_t type, const Dims& dims, const std::vector<float>& nchw)
    : type_(type), dims_(dims) {
  const emulation::TensorInfo info = InfoOf(type, dims);
  bytes_ = static_cast<size_t>(info.bytes());
  MustCuda(cudaMalloc(&memory_, bytes_));
  if (nchw.empty()) return;
  emulation::Values values(info.FiveDims());
  Require(values.data.size() == nchw.size(), "A tensor got the wrong number of values.");
  ForEachNchw(values, [&](size_t from, size_t to) { values.data[to] = nchw[from]; });
  std::vector<unsigned char> bytes(bytes_ + 8);
  emulation::Store(info, values, bytes.data());
  MustCuda(cudaMemcpy(memory_, bytes.data(), bytes_, cudaMemcpyHostToDevice));
}

DeviceTensor::DeviceTensor(DeviceTensor&& other) noexcept
    : type_(other.type_), dims_(other.dims_), bytes_(other.bytes_), memory_(std::exchange(other.memory_, nullptr)) {}

DeviceTensor::~DeviceTensor() {
  if (memory_ != nullptr) cudaFree(memory_);
}

std::vector<float> DeviceTensor::Read() const {
  std::vector<unsigned char> bytes(bytes_ + 8);
  MustCuda(cudaDeviceSynchronize());
  MustCuda(cudaMemcpy(bytes.data(), memory_, bytes_, cudaMemcpyDeviceToHost));
  const emulation::Values values = emulation::Load(InfoOf(type_, dims_), bytes.data());
  std::vector<float> nchw(values.data.size());
  ForEachNchw(values, [&](size_t to, size_t from) { nchw[to] = values.data[from]; });
  return nchw;
}

float Rounded(cudnnDataType_t type, float value) {
  const emulation::TensorInfo info = InfoOf(type, {1, 1, 1, 1});
  emulation::Values values(info.FiveDims());
  values.data[0] = value;
  alignas(8) unsigned char bytes[8] = {};
  emulation::Store(info, values, bytes);
  return emulation::Load(info, bytes).data[0];
}

cudnnStatus_t TryExecute(const Descriptor& plan, const Pointers& pointers, void* workspace) {
  std::vector<int64_t> uids;
  std::vector<void*> addresses;
  for (const auto& [uid, pointer] : pointers) {
    uids.push_back(uid);
    addresses.push_back(pointer);
  }
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.Set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, uids)
      .Set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, addresses)
      .Set<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, {workspace});
  const cudnnStatus_t status = pack.TryFinalize();
  return status != CUDNN_STATUS_SUCCESS ? status : cudnnBackendExecute(TestHandle(), plan.get(), pack.get());
}

void Execute(const Descriptor& plan, const Pointers& pointers) {
  void* workspace = nullptr;
  const auto bytes = static_cast<size_t>(plan.Integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
  if (bytes != 0) MustCuda(cudaMalloc(&workspace, bytes));
  MUST(TryExecute(plan, pointers, workspace));
  MustCuda(cudaDeviceSynchronize());
  if (workspace != nullptr) MustCuda(cudaFree(workspace));
}

}  // namespace residua::cudnn_test
