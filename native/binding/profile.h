// Times of ops, for JavaScript.
#pragma once
#include <napi.h>

#include "core/backend.h"

namespace residua::binding {

// Whether ops that are enqueued from now on are timed. Throws Error(kConfig) where the backend cannot.
void SwitchProfile(Backend* backend, bool on);

// Waits for all work; returns [{op, inputs, outputs, algorithm, milliseconds, reorderMilliseconds}], in order of
// execution, of what was timed since the last call; inputs and outputs are [{shape, dtype}].
Napi::Value TakeProfile(Napi::Env env, Backend* backend);

}  // namespace residua::binding
