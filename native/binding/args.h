// Decodes JavaScript values; what does not fit is an Error that names the argument.
#pragma once
#include <napi.h>

#include <cstdint>
#include <string>

#include "core/dtype.h"
#include "core/shape.h"

namespace residua::binding {

constexpr int64_t kMaxSafeInteger = (int64_t{1} << 53) - 1;
constexpr uint64_t kMaxHostBytes = (uint64_t{1} << 32) - 1;  // of one typed array, in Node 20

// What the value is, for a message.
std::string Describe(Napi::Value value);

int64_t ToInteger(Napi::Value value, const std::string& name, int64_t low, int64_t high);
double ToNumber(Napi::Value value, const std::string& name);  // finite
std::string ToText(Napi::Value value, const std::string& name);
DType ToDType(Napi::Value value, const std::string& name);
Shape ToShape(Napi::Value value, const std::string& name);
Napi::Array FromShape(Napi::Env env, const Shape& shape);
Napi::Array ToArray(Napi::Value value, const std::string& name);
Napi::Object ToObject(Napi::Value value, const std::string& name);

// The memory of a typed array; valid while the array is alive and not detached.
struct HostArray {
  napi_typedarray_type type;
  uint8_t* data;
  size_t length;  // elements
  size_t bytes;
};
HostArray ToHostArray(Napi::Value value, const std::string& name);
const char* Name(napi_typedarray_type type);
// Throws unless `values` are the elements of a tensor, as fromHost takes them.
void CheckHostValues(const HostArray& values, const Shape& shape, DType dtype);

}  // namespace residua::binding
