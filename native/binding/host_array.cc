// Typed arrays over memory that native code allocated.
#include "binding/host_array.h"

#include <new>

#include "binding/args.h"
#include "core/error.h"
#include "core/half.h"

namespace residua::binding {

std::unique_ptr<uint8_t[]> AllocateHost(uint64_t bytes) {
  const std::string asked = std::to_string(bytes);
  if (bytes > kMaxHostBytes) {
    throw Error(ErrorCode::kOutOfMemory,
                "A typed array holds at most " + std::to_string(kMaxHostBytes) + " bytes, asked for " + asked + ".",
                {{"bytesAsked", asked}});
  }
  std::unique_ptr<uint8_t[]> memory(new (std::nothrow) uint8_t[bytes]);
  if (!memory) {
    throw Error(ErrorCode::kOutOfMemory, "No memory for a host array of " + asked + " bytes.", {{"bytesAsked", asked}});
  }
  return memory;
}

Napi::Value AdoptHost(Napi::Env env, std::unique_ptr<uint8_t[]> bytes, size_t size, DType dtype) {
  Napi::ArrayBuffer buffer;
  if (size == 0) {
    buffer = Napi::ArrayBuffer::New(env, 0);
  } else {
    buffer = Napi::ArrayBuffer::New(env, bytes.get(), size,
                                    [](Napi::Env, void* data) { delete[] static_cast<uint8_t*>(data); });
    bytes.release();
  }
  if (dtype == DType::kInt32) return Napi::Int32Array::New(env, size / sizeof(int32_t), buffer, 0);
  if (dtype == DType::kUInt8) return Napi::Uint8Array::New(env, size, buffer, 0);
  return Napi::Float32Array::New(env, size / sizeof(float), buffer, 0);
}

std::unique_ptr<uint8_t[]> WidenToFloat32(const uint8_t* bytes, size_t count, DType dtype) {
  std::unique_ptr<uint8_t[]> wide = AllocateHost(uint64_t{count} * sizeof(float));
  auto* out = reinterpret_cast<float*>(wide.get());
  const auto* in = reinterpret_cast<const uint16_t*>(bytes);
  if (dtype == DType::kBFloat16) {
    for (size_t i = 0; i < count; ++i) out[i] = FloatFromBFloat16(in[i]);
  } else {
    for (size_t i = 0; i < count; ++i) out[i] = FloatFromFloat16(in[i]);
  }
  return wide;
}

}  // namespace residua::binding
