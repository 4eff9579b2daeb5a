// Which descriptor has which attributes, of which type, how many values, required or not (NVIDIA cuDNN 9, "Backend
// descriptor types"). Descriptors and attributes that are not in the table are not emulated.
#pragma once
#include <cudnn.h>

#include <vector>

namespace residua::cuda_emulation {

enum class Need { kRequired, kOptional, kReadOnly };

constexpr int kNoDescriptor = -1;
constexpr int kAnyOperation = -2;

struct AttributeRule {
  cudnnBackendAttributeName_t name;
  const char* text;
  cudnnBackendAttributeType_t type;  // CUDNN_TYPE_FLOAT: double as well
  int64_t least, most;               // number of values
  Need need;
  int refers_to = kNoDescriptor;  // which descriptor the values are
};

struct DescriptorRule {
  cudnnBackendDescriptorType_t type;
  const char* text;
  std::vector<AttributeRule> attributes;
};

// Null where the emulation has none.
const DescriptorRule* RuleOf(cudnnBackendDescriptorType_t type);
const AttributeRule* RuleOf(cudnnBackendDescriptorType_t type, cudnnBackendAttributeName_t name);

bool IsOperation(cudnnBackendDescriptorType_t type);
size_t SizeOf(cudnnBackendAttributeType_t type);
// Whether the number is an enumerator of the attribute type. True for types that are not enumerations.
bool IsKnownValue(cudnnBackendAttributeType_t type, int value);

}  // namespace residua::cuda_emulation
