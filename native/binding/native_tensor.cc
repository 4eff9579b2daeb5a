// The JavaScript class NativeTensor.
#include "binding/native_tensor.h"

#include "binding/args.h"
#include "binding/environment.h"

namespace residua::binding {

namespace {

// V8 collects the whole heap for each 64 MiB that are reported, while a step of training makes and frees gigabytes by
// scopes. A share of the bytes is told: garbage is still collected, for each half GiB of it, and steps are left alone.
constexpr int64_t kReportedShare = 8;

}  // namespace

void NativeTensor::Init(Napi::Env env) {
  Environment::Of(env).tensor_class = Napi::Persistent(
      DefineClass(env, "NativeTensor",
                  {InstanceAccessor("shape", &NativeTensor::Getter<&NativeTensor::GetShape>, nullptr, napi_enumerable),
                   InstanceAccessor("dtype", &NativeTensor::Getter<&NativeTensor::GetDType>, nullptr, napi_enumerable),
                   InstanceAccessor("bytes", &NativeTensor::Getter<&NativeTensor::GetBytes>, nullptr, napi_enumerable),
                   InstanceMethod("share", &NativeTensor::Method<&NativeTensor::Share>),
                   InstanceMethod("dispose", &NativeTensor::Method<&NativeTensor::Dispose>)}));
}

NativeTensor::NativeTensor(const Napi::CallbackInfo& info) : GuardedWrap(info) {}

Napi::Object NativeTensor::New(Napi::Env env, std::shared_ptr<Backend> backend, Tensor tensor) {
  auto handle = std::make_shared<TensorHandle>();
  handle->tensor = std::move(tensor);
  Napi::Object object = New(env, std::move(backend), std::move(handle));
  Unwrap(object)->ReportBytes(env);
  return object;
}

// A further reference to a tensor reports no bytes: the first one did.
Napi::Object NativeTensor::New(Napi::Env env, std::shared_ptr<Backend> backend, std::shared_ptr<TensorHandle> handle) {
  Napi::Object object = Environment::Of(env).tensor_class.New({});
  NativeTensor* self = Unwrap(object);
  self->backend_ = std::move(backend);
  self->handle_ = std::move(handle);
  return object;
}

NativeTensor& NativeTensor::From(Napi::Value value, const std::string& name) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTypeTag)) {
    throw Error(ErrorCode::kConfig, "Expected " + name + " to be a tensor, got " + Describe(value) + ".",
                {{"argument", name}, {"expected", "a tensor"}, {"found", Describe(value)}});
  }
  return *Unwrap(value.As<Napi::Object>());
}

const std::shared_ptr<TensorHandle>& NativeTensor::handle() const {
  if (!handle_) throw Error(ErrorCode::kDisposed, "This tensor was disposed and cannot be used any more.");
  return handle_;
}

void NativeTensor::ReportBytes(Napi::Env env) {
  const int64_t bytes = handle_ ? static_cast<int64_t>(handle_->tensor.storage->bytes()) / kReportedShare : 0;
  if (bytes == reported_bytes_) return;
  Napi::MemoryManagement::AdjustExternalMemory(env, bytes - reported_bytes_);
  reported_bytes_ = bytes;
}

void NativeTensor::Release(Napi::Env env) {
  handle_.reset();
  backend_.reset();
  ReportBytes(env);
}

void NativeTensor::Finalize(Napi::Env env) { Release(env); }

Napi::Value NativeTensor::GetShape(const Napi::CallbackInfo& info) {
  return FromShape(info.Env(), handle()->tensor.desc.shape);
}

Napi::Value NativeTensor::GetDType(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), residua::Name(handle()->tensor.desc.dtype));
}

Napi::Value NativeTensor::GetBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(handle()->tensor.storage->bytes()));
}

Napi::Value NativeTensor::Share(const Napi::CallbackInfo& info) { return New(info.Env(), backend_, handle()); }

Napi::Value NativeTensor::Dispose(const Napi::CallbackInfo& info) {
  Release(info.Env());
  return info.Env().Undefined();
}

}  // namespace residua::binding
