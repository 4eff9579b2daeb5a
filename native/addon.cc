// The addon's entry: what it exports, part by part. Runs once in each environment (main thread, worker).
#include <napi.h>

#include "binding/batch.h"
#include "binding/environment.h"
#include "binding/errors.h"
#include "binding/native_backend.h"
#include "binding/native_program.h"
#include "binding/native_tensor.h"
#include "binding/random.h"
#include "core/cores.h"

namespace residua::binding {

namespace {

Napi::Value GetAvailableCores(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), AvailableCores());
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment);
  InitErrors(env, exports);
  NativeTensor::Init(env);
  NativeProgram::Init(env);
  NativeBackend::Init(env, exports);
  InitRandom(env, exports);
  InitBatch(env, exports);
  Export<GetAvailableCores>(env, exports, "availableCores");
  return exports;
}

NODE_API_MODULE(residua, Init)

}  // namespace

}  // namespace residua::binding
