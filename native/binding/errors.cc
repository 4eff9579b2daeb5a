// Turns C++ exceptions into JavaScript errors.
#include "binding/errors.h"

#include <new>

#include "binding/environment.h"

namespace residua::binding {

namespace {

// lib/errors.ts
const char* ClassName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kShape:
      return "ShapeError";
    case ErrorCode::kDType:
      return "DTypeError";
    case ErrorCode::kDevice:
      return "DeviceError";
    case ErrorCode::kBackendUnavailable:
      return "BackendUnavailableError";
    case ErrorCode::kDisposed:
      return "DisposedError";
    case ErrorCode::kData:
      return "DataError";
    case ErrorCode::kOutOfMemory:
      return "OutOfMemoryError";
    case ErrorCode::kNative:
      return "NativeError";
    case ErrorCode::kConfig:
      return "ConfigError";
  }
  return "NativeError";
}

// initialize(makeError)
Napi::Value Initialize(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) throw Error(ErrorCode::kConfig, "initialize expected a function that makes errors.");
  Environment::Of(info.Env()).make_error = Napi::Persistent(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

}  // namespace

void InitErrors(Napi::Env env, Napi::Object exports) { Export<Initialize>(env, exports, "initialize"); }

Error CurrentError() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, "The process is out of memory.");
  } catch (const std::exception& error) {
    return Error(ErrorCode::kNative, std::string("Unexpected failure in native code: ") + error.what());
  }
}

Napi::Value ToJavaScript(Napi::Env env, const Error& error) {
  const Napi::FunctionReference& make_error = Environment::Of(env).make_error;
  if (make_error.IsEmpty()) return Napi::Error::New(env, error.what()).Value();  // initialize was not called
  Napi::Object details = Napi::Object::New(env);
  for (const auto& [key, text] : error.details()) details.Set(key, text);
  return make_error.Call(
      {Napi::String::New(env, ClassName(error.code())), Napi::String::New(env, error.what()), details});
}

}  // namespace residua::binding
