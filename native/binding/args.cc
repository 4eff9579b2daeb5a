// Decodes JavaScript values; what does not fit is an Error that names the argument.
#include "binding/args.h"

#include <cmath>

#include "core/error.h"

namespace residua::binding {

namespace {

[[noreturn]] void Fail(ErrorCode code, const std::string& name, const std::string& expected, const std::string& found) {
  throw Error(code, "Expected " + name + " to be " + expected + ", got " + found + ".",
              {{"argument", name}, {"expected", expected}, {"found", found}});
}

bool IsInteger(Napi::Value value, int64_t low, int64_t high, int64_t* out) {
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= static_cast<double>(low) && number <= static_cast<double>(high)) || number != std::floor(number)) {
    return false;
  }
  *out = static_cast<int64_t>(number);
  return true;
}

std::string DescribeArray(Napi::Array array) {
  constexpr uint32_t kShown = 8;
  const uint32_t length = array.Length();
  std::string text = "[";
  for (uint32_t i = 0; i < std::min(length, kShown); ++i) {
    const Napi::Value item = array.Get(i);
    if (i) text += ", ";
    text += item.IsArray() ? "[...]" : Describe(item);
  }
  return text + (length > kShown ? ", ...]" : "]");
}

size_t ElementSize(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    default:
      return 8;
  }
}

}  // namespace

std::string Describe(Napi::Value value) {
  if (value.IsNumber() || value.IsBoolean() || value.IsNull() || value.IsUndefined()) {
    return value.ToString().Utf8Value();
  }
  if (value.IsString()) return "'" + value.As<Napi::String>().Utf8Value() + "'";
  if (value.IsArray()) return DescribeArray(value.As<Napi::Array>());
  if (value.IsTypedArray()) return Name(value.As<Napi::TypedArray>().TypedArrayType());
  return value.IsFunction() ? "a function" : value.IsObject() ? "an object" : "another kind of value";
}

int64_t ToInteger(Napi::Value value, const std::string& name, int64_t low, int64_t high) {
  int64_t integer = 0;
  if (!IsInteger(value, low, high, &integer)) {
    Fail(ErrorCode::kConfig, name, "an integer from " + std::to_string(low) + " to " + std::to_string(high),
         Describe(value));
  }
  return integer;
}

double ToNumber(Napi::Value value, const std::string& name) {
  if (!value.IsNumber() || !std::isfinite(value.As<Napi::Number>().DoubleValue())) {
    Fail(ErrorCode::kConfig, name, "a finite number", Describe(value));
  }
  return value.As<Napi::Number>().DoubleValue();
}

std::string ToText(Napi::Value value, const std::string& name) {
  if (!value.IsString()) Fail(ErrorCode::kConfig, name, "a string", Describe(value));
  return value.As<Napi::String>().Utf8Value();
}

DType ToDType(Napi::Value value, const std::string& name) {
  if (value.IsString()) {
    const std::string text = value.As<Napi::String>().Utf8Value();
    for (DType dtype : {DType::kFloat32, DType::kBFloat16, DType::kFloat16, DType::kInt32, DType::kUInt8}) {
      if (text == residua::Name(dtype)) return dtype;
    }
  }
  Fail(ErrorCode::kDType, name, "one of float32, bfloat16, float16, int32, uint8", Describe(value));
}

Shape ToShape(Napi::Value value, const std::string& name) {
  const std::string expected = "an array of at most " + std::to_string(kMaxDims) + " non-negative integers";
  if (!value.IsArray()) Fail(ErrorCode::kShape, name, expected, Describe(value));
  const auto array = value.As<Napi::Array>();
  const uint32_t length = array.Length();
  if (length > kMaxDims) Fail(ErrorCode::kShape, name, expected, Describe(value));
  Shape shape(length);
  for (uint32_t i = 0; i < length; ++i) {
    if (!IsInteger(array.Get(i), 0, kMaxSafeInteger, &shape[i]))
      Fail(ErrorCode::kShape, name, expected, Describe(value));
  }
  return shape;
}

Napi::Array FromShape(Napi::Env env, const Shape& shape) {
  Napi::Array array = Napi::Array::New(env, shape.size());
  for (uint32_t i = 0; i < shape.size(); ++i) array.Set(i, static_cast<double>(shape[i]));
  return array;
}

Napi::Array ToArray(Napi::Value value, const std::string& name) {
  if (!value.IsArray()) Fail(ErrorCode::kConfig, name, "an array", Describe(value));
  return value.As<Napi::Array>();
}

Napi::Object ToObject(Napi::Value value, const std::string& name) {
  if (!value.IsObject()) Fail(ErrorCode::kConfig, name, "an object", Describe(value));
  return value.As<Napi::Object>();
}

// Not Napi::TypedArray: it refuses arrays over shared memory.
HostArray ToHostArray(Napi::Value value, const std::string& name) {
  if (!value.IsTypedArray()) Fail(ErrorCode::kDType, name, "a typed array", Describe(value));
  HostArray array;
  void* data = nullptr;
  const napi_status status =
      napi_get_typedarray_info(value.Env(), value, &array.type, &array.length, &data, nullptr, nullptr);
  if (status != napi_ok) Fail(ErrorCode::kDType, name, "a readable typed array", Describe(value));
  array.data = static_cast<uint8_t*>(data);
  array.bytes = array.length * ElementSize(array.type);
  return array;
}

const char* Name(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
      return "Int8Array";
    case napi_uint8_array:
      return "Uint8Array";
    case napi_uint8_clamped_array:
      return "Uint8ClampedArray";
    case napi_int16_array:
      return "Int16Array";
    case napi_uint16_array:
      return "Uint16Array";
    case napi_int32_array:
      return "Int32Array";
    case napi_uint32_array:
      return "Uint32Array";
    case napi_float32_array:
      return "Float32Array";
    case napi_float64_array:
      return "Float64Array";
    case napi_bigint64_array:
      return "BigInt64Array";
    case napi_biguint64_array:
      return "BigUint64Array";
    default:
      return "another typed array";
  }
}

namespace {

// The type of array that fromHost takes for a tensor's type.
napi_typedarray_type HostTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return napi_float32_array;
    case DType::kInt32:
      return napi_int32_array;
    case DType::kUInt8:
      return napi_uint8_array;
    default:
      return napi_uint16_array;
  }
}

}  // namespace

void CheckHostValues(const HostArray& values, const Shape& shape, DType dtype) {
  if (values.type != HostTypeOf(dtype)) {
    throw Error(ErrorCode::kDType, std::string("fromHost expected values in a ") + Name(HostTypeOf(dtype)) + " for " +
                                       residua::Name(dtype) + ", got a " + Name(values.type) + ".");
  }
  int64_t count = 0;
  if (!CountElements(shape, &count) || static_cast<uint64_t>(count) != values.length) {
    throw Error(ErrorCode::kShape,
                "fromHost expected as many values as shape " + ToString(shape) + " has elements, got " +
                    std::to_string(values.length) + ".",
                {{"argument", "values"}, {"expected", ToString(shape)}, {"found", std::to_string(values.length)}});
  }
}

}  // namespace residua::binding
