// The JavaScript class NativeProgram: a list of ops, planned once and run in one call.
#pragma once
#include <napi.h>

#include <functional>
#include <memory>
#include <string>

#include "binding/errors.h"
#include "binding/native_tensor.h"
#include "core/program.h"

namespace residua::binding {

class NativeProgram : public GuardedWrap<NativeProgram> {
 public:
  static constexpr napi_type_tag kTypeTag = {0x51d2c6b7a80e4f93, 0x8a6f3e1c7d2b4590};

  static void Init(Napi::Env env);
  static Napi::Object New(Napi::Env env, std::shared_ptr<Backend> backend, std::unique_ptr<Program> program);

  explicit NativeProgram(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override;

 private:
  Napi::Value Plan(const Napi::CallbackInfo& info);
  Napi::Value Run(const Napi::CallbackInfo& info);
  Napi::Value GetArenaBytes(const Napi::CallbackInfo& info);
  Napi::Value GetLowerBoundBytes(const Napi::CallbackInfo& info);
  Napi::Value GetReplayStats(const Napi::CallbackInfo& info);
  Napi::Value Dispose(const Napi::CallbackInfo& info);
  Program& program();

  std::shared_ptr<Backend> backend_;
  std::unique_ptr<Program> program_;
};

// An op as compile and infer take it: its name and attributes.
Op ToOp(Napi::Value name, Napi::Value attributes);

// The description of compile(nodes, leafCount, outputs):
// nodes: [{op, attributes, inputs: value numbers, outputCount}]
ProgramSpec ToProgramSpec(Napi::Value nodes, int leaf_count, Napi::Value outputs);

// How long to plan: milliseconds, or undefined for to the end.
double ToPlanningSeconds(Napi::Value milliseconds);

// The tensors behind an array of NativeTensors of one backend.
Program::Leaves ToLeaves(Napi::Value value, const Backend& backend);

}  // namespace residua::binding
