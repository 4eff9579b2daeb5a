// A cuDNN operation graph under construction: tensors, operations, and at the end the graph descriptor. A thin, owning
// layer over cudnnBackend* (the graph API, NVIDIA cuDNN 9 backend reference); plans for it are made by
// cuda/graph_planner.h.
#pragma once
#include <cudnn.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/op.h"
#include "core/tensor.h"

namespace residua::cuda {

// An owning cudnnBackendDescriptor_t.
class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type);
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  template <class T>
  void SetArray(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T* values, int64_t count) {
    SetRaw(name, type, count, values);
  }
  void Set(cudnnBackendAttributeName_t name, const Descriptor& value);
  void Set(cudnnBackendAttributeName_t name, int64_t value);
  void Set(cudnnBackendAttributeName_t name, float value);
  void Set(cudnnBackendAttributeName_t name, bool value);
  void Set(cudnnBackendAttributeName_t name, cudnnDataType_t value);
  void Finalize();
  // Finalize, for descriptors that cuDNN may refuse: the status instead of an Error.
  cudnnStatus_t TryFinalize();
  cudnnBackendDescriptor_t get() const { return descriptor_; }

 private:
  void SetRaw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count, const void* values);
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

cudnnDataType_t CudnnType(DType dtype);

// Whether the status says that cuDNN cannot do this, as against that something went wrong.
bool IsNotSupported(cudnnStatus_t status);
// "CUDNN_STATUS_NOT_SUPPORTED: what the library says about it"
std::string StatusText(cudnnStatus_t status);

enum class ConvolutionPass { kForward, kBackwardData, kBackwardWeights };

class Graph {
 public:
  // A tensor of the graph. Its number is the unique id under which Execute gets its pointer.
  struct TensorId {
    int64_t uid = 0;
  };
  struct TensorInfo {
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    size_t bytes = 0;
    bool is_virtual = false;
    bool is_by_value = false;  // HostScalar
  };

  // An image or weights of logical shape [n, c, h, w], NHWC in memory. A virtual tensor exists only inside the graph.
  TensorId Nhwc(cudnnDataType_t type, const Shape& shape, bool is_virtual = false);
  // One value a channel: [1, c, 1, 1].
  TensorId PerChannel(cudnnDataType_t type, int64_t channels);
  // One value given with each execution, from host memory: [1, 1, 1, 1].
  TensorId HostScalar(cudnnDataType_t type);

  // x * w -> y, with x, w, y replaced by the gradient that the pass computes.
  void Convolution(ConvolutionPass pass, TensorId x, TensorId w, TensorId y, const Conv2dParams& params);
  // Of one input or two.
  void Pointwise(cudnnPointwiseMode_t mode, TensorId x, TensorId y);
  void Pointwise(cudnnPointwiseMode_t mode, TensorId x, TensorId b, TensorId y);

  struct BatchNormTensors {
    TensorId scale, bias, mean, inverse_std, running_mean, running_variance, next_running_mean, next_running_variance;
    TensorId epsilon, average_factor;  // HostScalar; next = (1 - factor) * running + factor * batch
  };
  BatchNormTensors BatchNormTraining(TensorId x, TensorId y, int64_t channels);
  struct BatchNormGradients {
    TensorId scale, mean, inverse_std, dscale, dbias;
  };
  BatchNormGradients BatchNormBackward(TensorId x, TensorId dy, TensorId dx, int64_t channels);

  // Max pooling (with `index`, the positions of the maxima) or average pooling, and their backward passes.
  void Resample(cudnnResampleMode_t mode, TensorId x, TensorId y, const TensorId* index, const Pool2dParams& params);
  void ResampleBackward(cudnnResampleMode_t mode, TensorId dy, TensorId dx, const TensorId* x, const TensorId* y,
                        const TensorId* index, const Pool2dParams& params);

  // Text that tells graphs apart: the same text, the same graph. Key of plans on disk.
  const std::string& key() const { return key_; }
  // By uid.
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  // Whether it holds a convolution of float32 values, which TF32 would make less exact.
  bool convolves_float32() const { return convolves_float32_; }
  // Why cuDNN refuses a tensor or an operation as such; empty where it has not. A refused graph has no plan.
  const std::string& refusal() const { return refusal_; }
  // The operation graph's descriptor, to be finalised; `handle` may be null where plans are made without a device.
  Descriptor Operations(cudnnHandle_t handle) const;

 private:
  TensorId AddTensor(cudnnDataType_t type, const std::vector<int64_t>& dims, const std::vector<int64_t>& strides,
                     bool is_virtual, bool is_by_value);
  const Descriptor& At(TensorId tensor) const { return descriptors_[tensor_at_[static_cast<size_t>(tensor.uid)]]; }
  // Finalises and takes a descriptor; notes a refusal, after which there is no use in adding operations.
  const Descriptor& Keep(Descriptor descriptor);
  // Keeps an operation; `key` tells what it is, `tensors` what it reads and writes.
  void AddOperation(Descriptor operation, const std::string& key, const std::vector<TensorId>& tensors);

  std::vector<Descriptor> descriptors_;  // tensors, convolutions, pointwise modes, operations
  std::vector<size_t> tensor_at_;        // descriptor of each uid
  std::vector<TensorInfo> tensors_;
  std::vector<cudnnBackendDescriptor_t> operations_;
  std::string key_;
  std::string refusal_;
  bool convolves_float32_ = false;
};

}  // namespace residua::cuda
