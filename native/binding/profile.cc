// Times of ops, for JavaScript.
#include "binding/profile.h"

#include "binding/args.h"
#include "core/op_table.h"
#include "cpu/cpu_backend.h"
#include "cpu/profile.h"

namespace residua::binding {

namespace {

cpu::Profile& ProfileOrThrow(Backend* backend) {
  cpu::Profile* profile = ProfileOf(backend);
  if (profile) return *profile;
  throw Error(ErrorCode::kConfig, "Ops are timed on the CPU alone, not on " + backend->name() + ". Use cpu().");
}

Napi::Array FromDescs(Napi::Env env, const std::vector<TensorDesc>& descs) {
  Napi::Array array = Napi::Array::New(env, descs.size());
  for (uint32_t i = 0; i < descs.size(); ++i) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("shape", FromShape(env, descs[i].shape));
    object.Set("dtype", residua::Name(descs[i].dtype));
    array.Set(i, object);
  }
  return array;
}

}  // namespace

void SwitchProfile(Backend* backend, bool on) { ProfileOrThrow(backend).Switch(on); }

Napi::Value TakeProfile(Napi::Env env, Backend* backend) {
  cpu::Profile& profile = ProfileOrThrow(backend);
  backend->Synchronize();
  const std::vector<cpu::OpTime> times = profile.Take();
  Napi::Array array = Napi::Array::New(env, times.size());
  for (uint32_t i = 0; i < times.size(); ++i) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("op", InfoOf(times[i].plan->op().kind).name);
    object.Set("inputs", FromDescs(env, times[i].plan->inputs()));
    object.Set("outputs", FromDescs(env, times[i].plan->outputs));
    object.Set("algorithm", times[i].algorithm);
    object.Set("milliseconds", times[i].milliseconds);
    object.Set("reorderMilliseconds", times[i].reorder_milliseconds);
    array.Set(i, object);
  }
  return array;
}

}  // namespace residua::binding
