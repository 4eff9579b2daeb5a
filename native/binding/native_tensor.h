// The JavaScript class NativeTensor: holds a tensor, and keeps its backend alive.
#pragma once
#include <napi.h>

#include <memory>
#include <string>

#include "binding/errors.h"
#include "core/eager.h"

namespace residua::binding {

class NativeTensor : public GuardedWrap<NativeTensor> {
 public:
  static constexpr napi_type_tag kTypeTag = {0x6c1f0e0d9a5b4e21, 0x9d0c7a6be4532f17};

  static void Init(Napi::Env env);
  static Napi::Object New(Napi::Env env, std::shared_ptr<Backend> backend, Tensor tensor);
  static Napi::Object New(Napi::Env env, std::shared_ptr<Backend> backend, std::shared_ptr<TensorHandle> handle);
  // The tensor behind a JavaScript value. Throws Error(kConfig) for anything else.
  static NativeTensor& From(Napi::Value value, const std::string& name);

  explicit NativeTensor(const Napi::CallbackInfo& info);  // holds nothing yet, as after dispose
  void Finalize(Napi::Env env) override;

  // Throws Error(kDisposed).
  const std::shared_ptr<TensorHandle>& handle() const;
  const Backend* backend() const { return backend_.get(); }
  // Tells V8 that bytes hang on this object, so that it collects in time.
  void ReportBytes(Napi::Env env);

 private:
  Napi::Value GetShape(const Napi::CallbackInfo& info);
  Napi::Value GetDType(const Napi::CallbackInfo& info);
  Napi::Value GetBytes(const Napi::CallbackInfo& info);
  Napi::Value Share(const Napi::CallbackInfo& info);
  Napi::Value Dispose(const Napi::CallbackInfo& info);
  void Release(Napi::Env env);

  std::shared_ptr<Backend> backend_;  // goes after the storage
  std::shared_ptr<TensorHandle> handle_;
  int64_t reported_bytes_ = 0;
};

}  // namespace residua::binding
