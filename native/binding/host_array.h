// Typed arrays over memory that native code allocated.
#pragma once
#include <napi.h>

#include <cstdint>
#include <memory>

#include "core/dtype.h"

namespace residua::binding {

// Memory for a typed array that will be filled. Throws Error(kOutOfMemory), also for more than a typed array can hold.
std::unique_ptr<uint8_t[]> AllocateHost(uint64_t bytes);

// Float32Array, Int32Array or Uint8Array over the bytes, which JavaScript owns then.
Napi::Value AdoptHost(Napi::Env env, std::unique_ptr<uint8_t[]> bytes, size_t size, DType dtype);

// 16-bit floats widened to float32; JavaScript has no arrays of them.
std::unique_ptr<uint8_t[]> WidenToFloat32(const uint8_t* bytes, size_t count, DType dtype);

}  // namespace residua::binding
