// Descriptors of cuDNN's graph API, the tensors of a graph, and its key. Operations: graph_operations.cc,
// graph_norm.cc.
#include "cuda/graph.h"

#include <utility>

#include "cuda/check.h"

namespace residua::cuda {

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
  RESIDUA_CUDA(cudnnBackendCreateDescriptor(type, &descriptor_));
}

Descriptor::Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, nullptr)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Descriptor::~Descriptor() {
  if (descriptor_ != nullptr) cudnnBackendDestroyDescriptor(descriptor_);
}

void Descriptor::Set(cudnnBackendAttributeName_t name, const Descriptor& value) {
  SetRaw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.descriptor_);
}

void Descriptor::Set(cudnnBackendAttributeName_t name, int64_t value) { SetRaw(name, CUDNN_TYPE_INT64, 1, &value); }

void Descriptor::Set(cudnnBackendAttributeName_t name, float value) { SetRaw(name, CUDNN_TYPE_FLOAT, 1, &value); }

void Descriptor::Set(cudnnBackendAttributeName_t name, bool value) { SetRaw(name, CUDNN_TYPE_BOOLEAN, 1, &value); }

void Descriptor::Set(cudnnBackendAttributeName_t name, cudnnDataType_t value) {
  SetRaw(name, CUDNN_TYPE_DATA_TYPE, 1, &value);
}

void Descriptor::Finalize() { RESIDUA_CUDA(cudnnBackendFinalize(descriptor_)); }

cudnnStatus_t Descriptor::TryFinalize() { return cudnnBackendFinalize(descriptor_); }

void Descriptor::SetRaw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
                        const void* values) {
  RESIDUA_CUDA(cudnnBackendSetAttribute(descriptor_, name, type, count, values));
}

cudnnDataType_t CudnnType(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return CUDNN_DATA_FLOAT;
    case DType::kBFloat16:
      return CUDNN_DATA_BFLOAT16;
    case DType::kFloat16:
      return CUDNN_DATA_HALF;
    case DType::kInt32:
      return CUDNN_DATA_INT32;
    case DType::kUInt8:
      return CUDNN_DATA_UINT8;
  }
  throw Error(ErrorCode::kDType,
              "cuDNN expected a type of tensors, got number " + std::to_string(static_cast<int32_t>(dtype)) + ".");
}

namespace {

// Bytes to keep for a dense tensor. How cuDNN stores booleans is not documented: at most a byte each.
size_t BytesOf(cudnnDataType_t type, const std::vector<int64_t>& dims) {
  const size_t elements = static_cast<size_t>(NumElements(dims));
  switch (type) {
    case CUDNN_DATA_BOOLEAN:
    case CUDNN_DATA_INT8:
    case CUDNN_DATA_UINT8:
      return elements;
    case CUDNN_DATA_HALF:
    case CUDNN_DATA_BFLOAT16:
      return elements * 2;
    default:
      return elements * 4;
  }
}

}  // namespace

bool IsNotSupported(cudnnStatus_t status) { return static_cast<int>(status) / 1000 == 3; }

std::string StatusText(cudnnStatus_t status) {
  char message[1024] = "";
  cudnnGetLastErrorString(message, sizeof message);
  std::string text = cudnnGetErrorString(status);
  if (message[0] != '\0') text.append(": ").append(message);
  return text;
}

Graph::TensorId Graph::Nhwc(cudnnDataType_t type, const Shape& shape, bool is_virtual) {
  const int64_t c = shape[1], h = shape[2], w = shape[3];
  return AddTensor(type, shape, {h * w * c, 1, w * c, c}, is_virtual, false);
}

Graph::TensorId Graph::PerChannel(cudnnDataType_t type, int64_t channels) {
  return AddTensor(type, {1, channels, 1, 1}, {channels, 1, channels, channels}, false, false);
}

Graph::TensorId Graph::HostScalar(cudnnDataType_t type) {
  return AddTensor(type, {1, 1, 1, 1}, {1, 1, 1, 1}, false, true);
}

Graph::TensorId Graph::AddTensor(cudnnDataType_t type, const std::vector<int64_t>& dims,
                                 const std::vector<int64_t>& strides, bool is_virtual, bool is_by_value) {
  const TensorId id{static_cast<int64_t>(tensor_at_.size())};
  Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor.Set(CUDNN_ATTR_TENSOR_DATA_TYPE, type);
  tensor.SetArray(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, dims.data(), static_cast<int64_t>(dims.size()));
  tensor.SetArray(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, strides.data(), static_cast<int64_t>(strides.size()));
  tensor.Set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id.uid);
  tensor.Set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, int64_t{16});
  tensor.Set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_virtual);
  tensor.Set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, is_by_value);
  tensor_at_.push_back(descriptors_.size());
  tensors_.push_back({type, BytesOf(type, dims), is_virtual, is_by_value});
  Keep(std::move(tensor));

  key_ += "tensor " + std::to_string(id.uid) + " type " + std::to_string(static_cast<int>(type)) + " " +
          ToString(dims) + " strides " + ToString(strides) + (is_virtual ? " virtual" : "") +
          (is_by_value ? " by value" : "") + "\n";
  return id;
}

const Descriptor& Graph::Keep(Descriptor descriptor) {
  const cudnnStatus_t status = descriptor.TryFinalize();
  if (IsNotSupported(status)) {
    refusal_ = StatusText(status);
  } else {
    Check(status, "cudnnBackendFinalize(part of a graph)", __FILE__, __LINE__);
  }
  descriptors_.push_back(std::move(descriptor));
  return descriptors_.back();
}

void Graph::AddOperation(Descriptor operation, const std::string& key, const std::vector<TensorId>& tensors) {
  operations_.push_back(Keep(std::move(operation)).get());
  key_ += key;
  for (const TensorId& tensor : tensors) key_ += " " + std::to_string(tensor.uid);
  key_ += "\n";
}

Descriptor Graph::Operations(cudnnHandle_t handle) const {
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.SetArray(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations_.data(),
                 static_cast<int64_t>(operations_.size()));
  if (handle != nullptr) graph.SetArray(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, &handle, 1);
  return graph;
}

}  // namespace residua::cuda
