// What the addon keeps for each JavaScript environment (the main thread, each worker). There are no other globals.
#pragma once
#include <napi.h>

#include <map>
#include <string>

namespace residua::binding {

struct Environment {
  Napi::FunctionReference make_error;                     // lib/errors.ts: errorFromNative
  Napi::FunctionReference tensor_class;                   // NativeTensor
  Napi::FunctionReference program_class;                  // NativeProgram
  Napi::FunctionReference backend_class;                  // NativeBackend
  std::map<std::string, Napi::ObjectReference> backends;  // opened, by name

  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};

}  // namespace residua::binding
