// prepareBatch: makes a batch on a thread of the pool.
#pragma once
#include <napi.h>

namespace residua::binding {

void InitBatch(Napi::Env env, Napi::Object exports);

}  // namespace residua::binding
