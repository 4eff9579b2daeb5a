// The JavaScript class NativeProgram, and the decoding of what a program is made of.
#include "binding/native_program.h"

#include <limits>

#include "binding/args.h"
#include "binding/attributes.h"
#include "binding/environment.h"
#include "core/op_table.h"

namespace residua::binding {

namespace {

constexpr int64_t kMaxValues = 1 << 24;

std::vector<int> ToValueNumbers(Napi::Value value, const std::string& name, int64_t count) {
  const Napi::Array array = ToArray(value, name);
  std::vector<int> numbers(array.Length());
  for (uint32_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<int>(ToInteger(array.Get(i), name + "[" + std::to_string(i) + "]", 0, count - 1));
  }
  return numbers;
}

}  // namespace

Op ToOp(Napi::Value name, Napi::Value attributes) {
  const std::string text = ToText(name, "op");
  const OpInfo* info = FindOp(text);
  if (info == nullptr) throw Error(ErrorCode::kConfig, "There is no op '" + text + "'.", {{"op", text}});
  return DecodeOp(*info, ToObject(attributes, "attributes"));
}

ProgramSpec ToProgramSpec(Napi::Value nodes, int leaf_count, Napi::Value outputs) {
  ProgramSpec spec;
  spec.leaf_count = leaf_count;
  int64_t values = leaf_count;
  const Napi::Array array = ToArray(nodes, "nodes");
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const std::string name = "nodes[" + std::to_string(i) + "]";
    const Napi::Object object = ToObject(array.Get(i), name);
    ProgramNode node;
    node.op = ToOp(object.Get("op"), object.Get("attributes"));
    node.inputs = ToValueNumbers(object.Get("inputs"), name + ".inputs", values);
    node.first_output = static_cast<int>(values);
    node.output_count = static_cast<int>(ToInteger(object.Get("outputCount"), name + ".outputCount", 0, 8));
    values += node.output_count;
    if (values > kMaxValues) throw Error(ErrorCode::kConfig, "A program of so many values cannot be planned.");
    spec.nodes.push_back(std::move(node));
  }
  spec.outputs = ToValueNumbers(outputs, "outputs", values);
  return spec;
}

Program::Leaves ToLeaves(Napi::Value value, const Backend& backend) {
  const Napi::Array array = ToArray(value, "leaves");
  Program::Leaves leaves(array.Length());
  for (uint32_t i = 0; i < leaves.size(); ++i) {
    const std::string name = "leaf " + std::to_string(i);
    const NativeTensor& tensor = NativeTensor::From(array.Get(i), name);
    leaves[i] = tensor.handle();  // throws where disposed
    if (tensor.backend() != &backend) {
      throw Error(ErrorCode::kDevice, "Expected " + name + " of the program to be a tensor on " + backend.name() +
                                          ", got one on " + tensor.backend()->name() + ".");
    }
  }
  return leaves;
}

void NativeProgram::Init(Napi::Env env) {
  using Self = NativeProgram;
  Environment::Of(env).program_class = Napi::Persistent(DefineClass(
      env, "NativeProgram",
      {InstanceAccessor("arenaBytes", &Self::Getter<&Self::GetArenaBytes>, nullptr, napi_enumerable),
       InstanceAccessor("lowerBoundBytes", &Self::Getter<&Self::GetLowerBoundBytes>, nullptr, napi_enumerable),
       InstanceAccessor("replayStats", &Self::Getter<&Self::GetReplayStats>, nullptr, napi_enumerable),
       InstanceMethod("plan", &Self::Method<&Self::Plan>), InstanceMethod("run", &Self::Method<&Self::Run>),
       InstanceMethod("dispose", &Self::Method<&Self::Dispose>)}));
}

NativeProgram::NativeProgram(const Napi::CallbackInfo& info) : GuardedWrap(info) {}

Napi::Object NativeProgram::New(Napi::Env env, std::shared_ptr<Backend> backend, std::unique_ptr<Program> program) {
  Napi::Object object = Environment::Of(env).program_class.New({});
  NativeProgram* self = Unwrap(object);
  self->backend_ = std::move(backend);
  self->program_ = std::move(program);
  return object;
}

void NativeProgram::Finalize(Napi::Env) {
  program_.reset();
  backend_.reset();
}

Program& NativeProgram::program() {
  if (!program_) throw Error(ErrorCode::kDisposed, "This program was disposed and cannot run any more.");
  return *program_;
}

double ToPlanningSeconds(Napi::Value milliseconds) {
  if (milliseconds.IsUndefined()) return std::numeric_limits<double>::infinity();
  return ToNumber(milliseconds, "milliseconds") / 1000;
}

// plan(leaves[, milliseconds]) -> 'planned', 'more' or 'timing'
Napi::Value NativeProgram::Plan(const Napi::CallbackInfo& info) {
  const Program::Progress progress = program().PlanFor(ToLeaves(info[0], *backend_), ToPlanningSeconds(info[1]));
  const char* const names[] = {"planned", "more", "timing"};  // as in Program::Progress
  return Napi::String::New(info.Env(), names[static_cast<int>(progress)]);
}

// run(leaves) -> outputs
Napi::Value NativeProgram::Run(const Napi::CallbackInfo& info) {
  Program& own = program();
  const EnqueuedTogether together(backend_.get());  // also while the outputs are handed out
  std::vector<Tensor> outputs = own.Run(ToLeaves(info[0], *backend_));
  Napi::Array result = Napi::Array::New(info.Env(), outputs.size());
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    result.Set(i, NativeTensor::New(info.Env(), backend_, std::move(outputs[i])));
  }
  return result;
}

Napi::Value NativeProgram::GetArenaBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(program().arena_bytes()));
}

Napi::Value NativeProgram::GetLowerBoundBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(program().lower_bound_bytes()));
}

// {recordings, replays, refusal}
Napi::Value NativeProgram::GetReplayStats(const Napi::CallbackInfo& info) {
  const ReplayStats stats = program().replay_stats();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("recordings", Napi::Number::New(info.Env(), static_cast<double>(stats.recordings)));
  object.Set("replays", Napi::Number::New(info.Env(), static_cast<double>(stats.replays)));
  object.Set("refusal", Napi::String::New(info.Env(), stats.refusal));
  return object;
}

Napi::Value NativeProgram::Dispose(const Napi::CallbackInfo& info) {
  Finalize(info.Env());
  return info.Env().Undefined();
}

}  // namespace residua::binding
