// The JavaScript class NativeBackend: runs ops on one backend, moves values in and out.
#pragma once
#include <napi.h>

#include <memory>

#include "binding/errors.h"
#include "core/eager.h"

namespace residua::binding {

class NativeBackend : public GuardedWrap<NativeBackend> {
 public:
  static constexpr napi_type_tag kTypeTag = {0x2f7b94c08d3e4a65, 0xb1e85d2790fc4a38};

  // Exports openBackend.
  static void Init(Napi::Env env, Napi::Object exports);
  static Napi::Object New(Napi::Env env, std::shared_ptr<Backend> backend);

  explicit NativeBackend(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override;

 private:
  Napi::Value GetName(const Napi::CallbackInfo& info);
  Napi::Value Describe(const Napi::CallbackInfo& info);
  Napi::Value Supports(const Napi::CallbackInfo& info);
  Napi::Value Run(const Napi::CallbackInfo& info);
  Napi::Value Infer(const Napi::CallbackInfo& info);
  Napi::Value Compile(const Napi::CallbackInfo& info);
  Napi::Value FromHost(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value ReadAsync(const Napi::CallbackInfo& info);
  Napi::Value Synchronize(const Napi::CallbackInfo& info);
  Napi::Value SetThreads(const Napi::CallbackInfo& info);
  Napi::Value SetTuning(const Napi::CallbackInfo& info);
  Napi::Value Memory(const Napi::CallbackInfo& info);
  Napi::Value Trim(const Napi::CallbackInfo& info);
  Napi::Value Profile(const Napi::CallbackInfo& info);
  Napi::Value TakeProfile(const Napi::CallbackInfo& info);

  // Throws Error(kConfig) where JavaScript made the object by itself.
  Eager& eager();
  // The tensor of an argument; throws Error(kDevice) for one of another backend.
  class NativeTensor& TensorOf(Napi::Value value, const std::string& name);

  std::shared_ptr<Backend> backend_;
  std::unique_ptr<Eager> eager_;
};

}  // namespace residua::binding
