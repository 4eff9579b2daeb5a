// Copies tensors to the host as typed arrays: at once, or by a promise.
#pragma once
#include <napi.h>

#include <memory>

#include "core/eager.h"

namespace residua::binding {

// Waits for the work before it.
Napi::Value ReadNow(Napi::Env env, Eager* eager, const Tensor& tensor);

// The promise is settled on the JavaScript thread and keeps the process alive until then.
Napi::Value ReadLater(Napi::Env env, const std::shared_ptr<Backend>& backend, const Tensor& tensor);

}  // namespace residua::binding
