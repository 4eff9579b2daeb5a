// Descriptors of the graph API as the emulation keeps them: a type and attribute values. Immutable once finalised, so
// descriptors share those that they refer to.
#pragma once
#include <cudnn.h>

#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "cuda_emulation/cudnn_error.h"

namespace residua::cuda_emulation {

struct Descriptor;
struct OperationGraph;  // cudnn_graph.h
struct Engine;          // cudnn_engines.h
using DescriptorPtr = std::shared_ptr<const Descriptor>;

struct AttributeValue {
  cudnnBackendAttributeType_t type = CUDNN_TYPE_INT64;
  int64_t count = 0;
  std::vector<char> bytes;                 // of all types but descriptors
  std::vector<DescriptorPtr> descriptors;  // of CUDNN_TYPE_BACKEND_DESCRIPTOR
};

struct Descriptor {
  explicit Descriptor(cudnnBackendDescriptorType_t descriptor_type) : type(descriptor_type) {}

  bool Has(cudnnBackendAttributeName_t name) const { return values.count(name) != 0; }

  // The first element; only where Has.
  template <class T>
  T Get(cudnnBackendAttributeName_t name) const {
    T value;
    std::memcpy(&value, values.at(name).bytes.data(), sizeof value);
    return value;
  }
  template <class T>
  T GetOr(cudnnBackendAttributeName_t name, T otherwise) const {
    return Has(name) ? Get<T>(name) : otherwise;
  }
  // Float or double attributes.
  double Number(cudnnBackendAttributeName_t name, double otherwise) const;
  std::vector<int64_t> Integers(cudnnBackendAttributeName_t name) const;
  // Null where it is not set.
  DescriptorPtr Reference(cudnnBackendAttributeName_t name) const;

  template <class T>
  void Put(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t value_type, const std::vector<T>& elements) {
    AttributeValue& value = values[name];
    value.type = value_type;
    value.count = static_cast<int64_t>(elements.size());
    const char* bytes = reinterpret_cast<const char*>(elements.data());
    value.bytes.assign(bytes, bytes + elements.size() * sizeof(T));
  }
  void PutReferences(cudnnBackendAttributeName_t name, std::vector<DescriptorPtr> references);

  const cudnnBackendDescriptorType_t type;
  bool finalized = false;
  std::map<cudnnBackendAttributeName_t, AttributeValue> values;

  // What finalising made of it.
  std::shared_ptr<const OperationGraph> graph;  // operation graphs
  std::shared_ptr<const Engine> engine;         // engines
};

// What a cudnnBackendDescriptor_t points to.
struct DescriptorHandle {
  std::shared_ptr<Descriptor> descriptor;
};

// Throws unless `handle` is a live descriptor.
DescriptorHandle& LiveDescriptor(cudnnBackendDescriptor_t handle);
// The same, finalised and of this type.
DescriptorPtr FinalizedDescriptor(cudnnBackendDescriptor_t handle, cudnnBackendDescriptorType_t type);

}  // namespace residua::cuda_emulation
