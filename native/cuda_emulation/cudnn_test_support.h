// What the checks of the emulated cuDNN are made of: named checks, descriptors in short form, device memory.
#pragma once
#include <cuda_runtime.h>
#include <cudnn.h>

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace residua::cudnn_test {

struct Check {
  std::string name;
  std::function<void()> body;  // throws where the check fails
};
// Each file of checks appends its own.
void AddFixtureChecks(const std::string& path, std::vector<Check>* checks);
void AddRefusalChecks(std::vector<Check>* checks);
void AddOperationRefusalChecks(std::vector<Check>* checks);
void AddSupportChecks(std::vector<Check>* checks);
void AddExecutionChecks(std::vector<Check>* checks);
void AddValueChecks(std::vector<Check>* checks);
void AddPlanChecks(std::vector<Check>* checks);

[[noreturn]] void Fail(const std::string& what);
void Require(bool condition, const std::string& what);
// The status must be success, or exactly this.
void RequireSuccess(cudnnStatus_t status, const char* what);
void RequireStatus(cudnnStatus_t status, cudnnStatus_t expected, const std::string& what);
#define MUST(call) ::residua::cudnn_test::RequireSuccess((call), #call)
void MustCuda(cudaError_t status);

class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) { MUST(cudnnBackendCreateDescriptor(type, &handle_)); }
  Descriptor(Descriptor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  ~Descriptor() {
    if (handle_ != nullptr) cudnnBackendDestroyDescriptor(handle_);
  }
  cudnnBackendDescriptor_t get() const { return handle_; }

  template <class T>
  cudnnStatus_t TrySet(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                       const std::vector<T>& values) {
    return cudnnBackendSetAttribute(handle_, name, type, static_cast<int64_t>(values.size()), values.data());
  }
  template <class T>
  Descriptor& Set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const std::vector<T>& values) {
    MUST(TrySet(name, type, values));
    return *this;
  }
  Descriptor& Set(cudnnBackendAttributeName_t name, const std::vector<int64_t>& values) {
    return Set(name, CUDNN_TYPE_INT64, values);
  }
  Descriptor& Set(cudnnBackendAttributeName_t name, const Descriptor& value) {
    return Set<cudnnBackendDescriptor_t>(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, {value.get()});
  }
  Descriptor& Set(cudnnBackendAttributeName_t name, cudnnDataType_t value) {
    return Set<cudnnDataType_t>(name, CUDNN_TYPE_DATA_TYPE, {value});
  }
  Descriptor& Set(cudnnBackendAttributeName_t name, float value) { return Set<float>(name, CUDNN_TYPE_FLOAT, {value}); }
  Descriptor& SetBool(cudnnBackendAttributeName_t name, bool value) {
    MUST(cudnnBackendSetAttribute(handle_, name, CUDNN_TYPE_BOOLEAN, 1, &value));
    return *this;
  }
  cudnnStatus_t TryFinalize() { return cudnnBackendFinalize(handle_); }
  Descriptor& Finalize() {
    MUST(TryFinalize());
    return *this;
  }
  int64_t Integer(cudnnBackendAttributeName_t name) const;
  std::vector<int> Enumerators(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type) const;

 private:
  cudnnBackendDescriptor_t handle_ = nullptr;
};

using Dims = std::vector<int64_t>;
Dims NhwcStrides(const Dims& dims);
Dims NchwStrides(const Dims& dims);

struct TensorOptions {
  bool is_virtual = false, by_value = false;
  Dims strides;           // empty: NHWC
  int64_t alignment = 0;  // 0: the element's size
  int64_t uid = 0;        // 0: a new one
};

// Tensors and operations of a graph, as they would be written in C.
class Graph {
 public:
  struct Tensor {
    int64_t uid = 0;
    size_t at = 0;
  };
  Tensor Add(cudnnDataType_t type, const Dims& dims, const TensorOptions& options = {});
  Tensor Virtual(const Dims& dims, cudnnDataType_t type = CUDNN_DATA_FLOAT) {
    return Add(type, dims, {true, false, {}, 0, 0});
  }
  Tensor Scalar() { return Add(CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {false, true, {}, 0, 0}); }
  const Descriptor& At(Tensor tensor) const { return kept_[tensor.at]; }

  const Descriptor& Keep(Descriptor descriptor) {
    kept_.push_back(std::move(descriptor));
    return kept_.back();
  }
  void Push(Descriptor operation);

  struct Convolution {
    Dims padding = {0, 0}, after = {}, strides = {1, 1}, dilation = {1, 1};
    bool turned = false;
    float alpha = 1, beta = 0;
  };
  enum Pass { kForward, kBackwardData, kBackwardFilter };
  void Convolve(Pass pass, Tensor x, Tensor w, Tensor y, const Convolution& options);
  void Point(cudnnPointwiseMode_t mode, Tensor x, Tensor y) { PointAll(mode, x, nullptr, nullptr, y); }
  void Point(cudnnPointwiseMode_t mode, Tensor x, Tensor b, Tensor y) { PointAll(mode, x, &b, nullptr, y); }
  void PointAll(cudnnPointwiseMode_t mode, Tensor x, const Tensor* b, const Tensor* t, Tensor y,
                const std::map<cudnnBackendAttributeName_t, float>& parameters = {});
  void PointBackward(cudnnPointwiseMode_t mode, Tensor x, Tensor dy, Tensor dx,
                     const std::map<cudnnBackendAttributeName_t, float>& parameters = {});
  struct Norm {
    Tensor scale, bias, running_mean, running_variance, epsilon, factor, mean, inverse, next_mean, next_variance;
  };
  Norm NormForward(Tensor x, Tensor y, int64_t channels, cudnnBackendNormFwdPhase_t phase = CUDNN_NORM_FWD_TRAINING);
  struct NormGradient {
    Tensor scale, mean, inverse, dscale, dbias;
  };
  NormGradient NormBackward(Tensor x, Tensor dy, Tensor dx, int64_t channels);
  struct Pooling {
    cudnnResampleMode_t mode = CUDNN_RESAMPLE_MAXPOOL;
    Dims window = {2, 2}, strides = {2, 2}, padding = {0, 0};
    int padding_mode = -1;  // -1: what the mode needs
  };
  void Resample(const Pooling& pooling, Tensor x, Tensor y, const Tensor* index = nullptr);
  void ResampleBackward(const Pooling& pooling, Tensor dy, Tensor dx, const Tensor* index = nullptr);
  void Statistics(Tensor x, Tensor sum, Tensor squares);
  void Reduce(cudnnReduceTensorOp_t operation, Tensor x, Tensor y);

  Descriptor Finish() const;

 private:
  std::vector<Descriptor> kept_;
  std::vector<cudnnBackendDescriptor_t> operations_;
  int64_t next_uid_ = 100;
};

cudnnHandle_t TestHandle();  // of the whole program
// Configurations of a graph; empty where there is no engine.
std::vector<Descriptor> Configurations(const Descriptor& graph, cudnnBackendHeurMode_t mode);
bool HasEngine(const Graph& graph);
Descriptor MakePlan(const Descriptor& configuration);
Descriptor MakeEngineOf(const Descriptor& configuration);

// Device memory of values given and read as floats, in the type of a tensor.
class DeviceTensor {
 public:
  DeviceTensor(cudnnDataType_t type, const Dims& dims, const std::vector<float>& nchw = {});
  DeviceTensor(DeviceTensor&& other) noexcept;
  ~DeviceTensor();
  void* get() const { return memory_; }
  std::vector<float> Read() const;  // waits for the device; in NCHW order

 private:
  cudnnDataType_t type_;
  Dims dims_;
  size_t bytes_;
  void* memory_ = nullptr;
};
float Rounded(cudnnDataType_t type, float value);

using Pointers = std::vector<std::pair<int64_t, void*>>;
cudnnStatus_t TryExecute(const Descriptor& plan, const Pointers& pointers, void* workspace);
// With a workspace of the size that the plan asks for; waits.
void Execute(const Descriptor& plan, const Pointers& pointers);

}  // namespace residua::cudnn_test
