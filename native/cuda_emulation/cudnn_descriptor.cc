// The functions on descriptors, each checked against the attribute table: create, destroy, set, get, finalise.
#include "cuda_emulation/cudnn_descriptor.h"

#include <mutex>
#include <set>
#include <string>

#include "cuda_emulation/cudnn_attributes.h"
#include "cuda_emulation/cudnn_finalize.h"

namespace residua::cuda_emulation {
namespace {

struct LiveDescriptors {
  std::mutex mutex;
  std::set<cudnnBackendDescriptor_t> handles;
};

LiveDescriptors& Live() {
  static LiveDescriptors live;
  return live;
}

const AttributeRule& RequireRule(const Descriptor& descriptor, cudnnBackendAttributeName_t name) {
  const AttributeRule* rule = RuleOf(descriptor.type, name);
  if (rule == nullptr) {
    Refuse(CUDNN_STATUS_BAD_PARAM,
           std::string(RuleOf(descriptor.type)->text) + " has no attribute number " + std::to_string(name) + ".");
  }
  return *rule;
}

void RequireType(const AttributeRule& rule, cudnnBackendAttributeType_t type) {
  const bool as_double = rule.type == CUDNN_TYPE_FLOAT && type == CUDNN_TYPE_DOUBLE;
  if (type == rule.type || as_double) return;
  Refuse(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, std::string(rule.text) + " is of attribute type " +
                                                    std::to_string(rule.type) + ", got " + std::to_string(type) + ".");
}

bool IsEnumeration(cudnnBackendAttributeType_t type) {
  return SizeOf(type) == 4 && type != CUDNN_TYPE_FLOAT && type != CUDNN_TYPE_INT32;
}

void RequireKnownValues(const AttributeRule& rule, int64_t count, const void* elements) {
  if (!IsEnumeration(rule.type)) return;
  for (int64_t i = 0; i < count; ++i) {
    const int value = static_cast<const int*>(elements)[i];
    if (!IsKnownValue(rule.type, value)) {
      Refuse(CUDNN_STATUS_BAD_PARAM, std::string(rule.text) + " has no value " + std::to_string(value) + ".");
    }
  }
}

DescriptorPtr RequireReference(const AttributeRule& rule, cudnnBackendDescriptor_t handle) {
  const std::shared_ptr<Descriptor> descriptor = LiveDescriptor(handle).descriptor;
  const bool fits =
      rule.refers_to == kAnyOperation ? IsOperation(descriptor->type) : descriptor->type == rule.refers_to;
  if (!fits) {
    Refuse(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE,
           std::string(rule.text) + " cannot be a " + RuleOf(descriptor->type)->text + ".");
  }
  if (!descriptor->finalized) {
    Refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED,
           std::string(rule.text) + ": the " + RuleOf(descriptor->type)->text + " is not finalised.");
  }
  return descriptor;
}

void SetValues(Descriptor* descriptor, const AttributeRule& rule, cudnnBackendAttributeType_t type, int64_t count,
               const void* elements) {
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    std::vector<DescriptorPtr> references;
    for (int64_t i = 0; i < count; ++i) {
      references.push_back(RequireReference(rule, static_cast<const cudnnBackendDescriptor_t*>(elements)[i]));
    }
    descriptor->PutReferences(rule.name, std::move(references));
    return;
  }
  RequireKnownValues(rule, count, elements);
  const char* bytes = static_cast<const char*>(elements);
  descriptor->Put(rule.name, type, std::vector<char>(bytes, bytes + static_cast<size_t>(count) * SizeOf(type)));
  descriptor->values[rule.name].count = count;
}

void CopyOut(const AttributeRule& rule, const AttributeValue& value, int64_t count, void* elements) {
  if (value.type != CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    std::memcpy(elements, value.bytes.data(), static_cast<size_t>(count) * SizeOf(value.type));
    return;
  }
  for (int64_t i = 0; i < count; ++i) {  // the caller made descriptors to be filled
    DescriptorHandle& handle = LiveDescriptor(static_cast<cudnnBackendDescriptor_t*>(elements)[i]);
    const DescriptorPtr& source = value.descriptors[static_cast<size_t>(i)];
    if (handle.descriptor->type != source->type) {
      Refuse(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE,
             std::string(rule.text) + " fills descriptors of type " + RuleOf(source->type)->text + ".");
    }
    handle.descriptor = std::const_pointer_cast<Descriptor>(source);  // finalised: nothing changes it any more
  }
}

}  // namespace

double Descriptor::Number(cudnnBackendAttributeName_t name, double otherwise) const {
  if (!Has(name)) return otherwise;
  return values.at(name).type == CUDNN_TYPE_DOUBLE ? Get<double>(name) : static_cast<double>(Get<float>(name));
}

std::vector<int64_t> Descriptor::Integers(cudnnBackendAttributeName_t name) const {
  const AttributeValue& value = values.at(name);
  std::vector<int64_t> integers(static_cast<size_t>(value.count));
  if (!integers.empty()) std::memcpy(integers.data(), value.bytes.data(), integers.size() * sizeof(int64_t));
  return integers;
}

DescriptorPtr Descriptor::Reference(cudnnBackendAttributeName_t name) const {
  return Has(name) ? values.at(name).descriptors[0] : nullptr;
}

void Descriptor::PutReferences(cudnnBackendAttributeName_t name, std::vector<DescriptorPtr> references) {
  AttributeValue& value = values[name];
  value.type = CUDNN_TYPE_BACKEND_DESCRIPTOR;
  value.count = static_cast<int64_t>(references.size());
  value.descriptors = std::move(references);
}

DescriptorHandle& LiveDescriptor(cudnnBackendDescriptor_t handle) {
  RequirePointer(handle, "A descriptor");
  LiveDescriptors& live = Live();
  std::lock_guard<std::mutex> lock(live.mutex);
  if (live.handles.count(handle) == 0) {
    Refuse(CUDNN_STATUS_BAD_PARAM, "A descriptor was destroyed, or never made by cudnnBackendCreateDescriptor.");
  }
  return *static_cast<DescriptorHandle*>(handle);
}

DescriptorPtr FinalizedDescriptor(cudnnBackendDescriptor_t handle, cudnnBackendDescriptorType_t type) {
  const DescriptorPtr descriptor = LiveDescriptor(handle).descriptor;
  const std::string expected = RuleOf(type)->text;
  if (descriptor->type != type) {
    Refuse(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE,
           "expected a " + expected + ", got a " + RuleOf(descriptor->type)->text + ".");
  }
  if (!descriptor->finalized) Refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "The " + expected + " is not finalised.");
  return descriptor;
}

}  // namespace residua::cuda_emulation

using namespace residua::cuda_emulation;

extern "C" {

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* descriptor) {
  return CudnnCall(__func__, CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED, [&] {
    RequirePointer(descriptor, "descriptor");
    if (RuleOf(type) == nullptr) {
      Refuse(CUDNN_STATUS_NOT_SUPPORTED, "The emulation has no descriptor of type " + std::to_string(type) + ".");
    }
    auto handle = std::make_unique<DescriptorHandle>();
    handle->descriptor = std::make_shared<Descriptor>(type);
    LiveDescriptors& live = Live();
    std::lock_guard<std::mutex> lock(live.mutex);
    live.handles.insert(handle.get());
    *descriptor = handle.release();
  });
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  if (descriptor == nullptr) {
    return ReportCudnn(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "cudnnBackendDestroyDescriptor: got null.");
  }
  {
    LiveDescriptors& live = Live();
    std::lock_guard<std::mutex> lock(live.mutex);
    if (live.handles.erase(descriptor) == 0) {
      return ReportCudnn(CUDNN_STATUS_BAD_PARAM, "cudnnBackendDestroyDescriptor: not a live descriptor.");
    }
  }
  delete static_cast<DescriptorHandle*>(descriptor);
  return CudnnCall(__func__, CUDNN_STATUS_INTERNAL_ERROR, [] {});
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t handle, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t element_count, const void* elements) {
  return CudnnCall(__func__, CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED, [&] {
    Descriptor& descriptor = *LiveDescriptor(handle).descriptor;
    const AttributeRule& rule = RequireRule(descriptor, name);
    const std::string text = rule.text;
    if (descriptor.finalized) Refuse(CUDNN_STATUS_BAD_PARAM, text + ": the descriptor is finalised already.");
    if (rule.need == Need::kReadOnly) Refuse(CUDNN_STATUS_BAD_PARAM, text + " is read-only.");
    RequireType(rule, type);
    if (element_count < rule.least || element_count > rule.most) {
      Refuse(CUDNN_STATUS_BAD_PARAM, text + " takes " + std::to_string(rule.least) + " to " +
                                         std::to_string(rule.most) + " values, got " + std::to_string(element_count) +
                                         ".");
    }
    RequirePointer(elements, rule.text);
    SetValues(&descriptor, rule, type, element_count, elements);
  });
}

// At most `requested_count` values are written. The count is that of the values there are where none is asked for, else
// of those written.
cudnnStatus_t cudnnBackendGetAttribute(const cudnnBackendDescriptor_t handle, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t requested_count,
                                       int64_t* element_count, void* elements) {
  return CudnnCall(__func__, CUDNN_STATUS_INTERNAL_ERROR, [&] {
    const DescriptorPtr descriptor = LiveDescriptor(handle).descriptor;
    const AttributeRule& rule = RequireRule(*descriptor, name);
    if (!descriptor->finalized) {
      Refuse(CUDNN_STATUS_NOT_INITIALIZED, std::string(rule.text) + ": the descriptor is not finalised.");
    }
    RequireType(rule, type);
    if (requested_count < 0) Refuse(CUDNN_STATUS_BAD_PARAM, "The requested count must not be negative.");
    if (!descriptor->Has(name)) Refuse(CUDNN_STATUS_BAD_PARAM, std::string(rule.text) + " was not set.");
    const AttributeValue& value = descriptor->values.at(name);
    if (value.type != type) RequireType({name, rule.text, value.type, 0, 0, rule.need}, type);
    const int64_t count = requested_count == 0 ? value.count : std::min(requested_count, value.count);
    if (element_count != nullptr) *element_count = count;
    if (requested_count == 0 || count == 0) return;
    RequirePointer(elements, "arrayOfElements");
    CopyOut(rule, value, count, elements);
  });
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t handle) {
  return CudnnCall(__func__, CUDNN_STATUS_INTERNAL_ERROR, [&] {
    Descriptor& descriptor = *LiveDescriptor(handle).descriptor;
    if (descriptor.finalized) {
      Refuse(CUDNN_STATUS_BAD_PARAM, std::string(RuleOf(descriptor.type)->text) + " is finalised already.");
    }
    Finalize(&descriptor);
  });
}

}  // extern "C"
