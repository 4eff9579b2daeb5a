// randomUniform, randomNormal, randomPermutation.
#pragma once
#include <napi.h>

namespace residua::binding {

void InitRandom(Napi::Env env, Napi::Object exports);

}  // namespace residua::binding
