// Turns C++ exceptions into JavaScript errors. Every entry from JavaScript passes Guard, the one try/catch.
#pragma once
#include <napi.h>

#include <exception>
#include <utility>

#include "core/error.h"

namespace residua::binding {

// Exports `initialize`.
void InitErrors(Napi::Env env, Napi::Object exports);

// The exception that is being handled, as an Error.
Error CurrentError();

// The JavaScript error object.
Napi::Value ToJavaScript(Napi::Env env, const Error& error);

template <class Body>
auto Guard(Napi::Env env, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {  // JavaScript's own
    throw;
  } catch (const std::exception&) {
    throw Napi::Error(env, ToJavaScript(env, CurrentError()));
  }
}

// A guarded function of the addon.
template <Napi::Value (*kBody)(const Napi::CallbackInfo&)>
Napi::Value Entry(const Napi::CallbackInfo& info) {
  return Guard(info.Env(), [&info] { return kBody(info); });
}

template <Napi::Value (*kBody)(const Napi::CallbackInfo&)>
void Export(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New(env, Entry<kBody>, name));
}

// Base of the classes that JavaScript sees. kTypeTag tells them from other objects.
template <class T>
class GuardedWrap : public Napi::ObjectWrap<T> {
 public:
  explicit GuardedWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<T>(info) {
    info.This().As<Napi::Object>().TypeTag(&T::kTypeTag);
  }

 protected:
  using Member = Napi::Value (T::*)(const Napi::CallbackInfo&);

  template <Member kBody>
  Napi::Value Method(const Napi::CallbackInfo& info) {
    return Guard(info.Env(), [this, &info] { return (static_cast<T*>(this)->*kBody)(info); });
  }

  // Unlike methods, accessors may be called on any object.
  template <Member kBody>
  Napi::Value Getter(const Napi::CallbackInfo& info) {
    if (!info.This().As<Napi::Object>().CheckTypeTag(&T::kTypeTag)) {
      throw Napi::TypeError::New(info.Env(), "Illegal invocation");
    }
    return Method<kBody>(info);
  }
};

}  // namespace residua::binding
