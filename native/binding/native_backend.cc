// The JavaScript class NativeBackend.
#include "binding/native_backend.h"

#include <limits>

#include "binding/args.h"
#include "binding/attributes.h"
#include "binding/environment.h"
#include "binding/native_program.h"
#include "binding/native_tensor.h"
#include "binding/profile.h"
#include "binding/read.h"
#include "core/cuda_loader.h"
#include "core/op_table.h"
#include "core/shape_infer.h"
#include "cpu/cpu_backend.h"

namespace residua::binding {

namespace {

constexpr int kMaxThreads = 1024;

// The N of 'gpu(N)'; -1 for any other text.
int GpuIndex(const std::string& name) {
  constexpr size_t kMaxDigits = 3;
  const size_t digits = name.size() < 6 ? 0 : name.size() - 5;
  if (digits == 0 || digits > kMaxDigits || name.compare(0, 4, "gpu(") != 0 || name.back() != ')') return -1;
  const std::string number = name.substr(4, digits);
  return number.find_first_not_of("0123456789") == std::string::npos ? std::stoi(number) : -1;
}

std::unique_ptr<Backend> MakeBackend(const std::string& name) {
  if (name == "cpu") return MakeCpuBackend();
  const int gpu = GpuIndex(name);
  if (gpu >= 0) return OpenCudaBackend(gpu);
  throw Error(ErrorCode::kDevice, "Expected a device name 'cpu' or 'gpu(N)', got '" + name + "'.", {{"device", name}});
}

// openBackend(name)
Napi::Value OpenBackend(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) {
    const std::string found = binding::Describe(info[0]);
    throw Error(ErrorCode::kDevice, "Expected a device name, the string 'cpu' or 'gpu(N)', got " + found + ".",
                {{"device", found}});
  }
  const std::string name = info[0].As<Napi::String>().Utf8Value();
  auto& backends = Environment::Of(info.Env()).backends;
  const auto opened = backends.find(name);
  if (opened != backends.end()) return opened->second.Value();
  const Napi::Object backend = NativeBackend::New(info.Env(), MakeBackend(name));
  backends.emplace(name, Napi::Persistent(backend));
  return backend;
}

}  // namespace

void NativeBackend::Init(Napi::Env env, Napi::Object exports) {
  using Self = NativeBackend;
  Environment::Of(env).backend_class = Napi::Persistent(DefineClass(
      env, "NativeBackend",
      {InstanceAccessor("name", &Self::Getter<&Self::GetName>, nullptr, napi_enumerable),
       InstanceMethod("describe", &Self::Method<&Self::Describe>),
       InstanceMethod("supports", &Self::Method<&Self::Supports>), InstanceMethod("run", &Self::Method<&Self::Run>),
       InstanceMethod("infer", &Self::Method<&Self::Infer>), InstanceMethod("compile", &Self::Method<&Self::Compile>),
       InstanceMethod("fromHost", &Self::Method<&Self::FromHost>), InstanceMethod("read", &Self::Method<&Self::Read>),
       InstanceMethod("readAsync", &Self::Method<&Self::ReadAsync>),
       InstanceMethod("synchronize", &Self::Method<&Self::Synchronize>),
       InstanceMethod("setThreads", &Self::Method<&Self::SetThreads>),
       InstanceMethod("setTuning", &Self::Method<&Self::SetTuning>),
       InstanceMethod("memory", &Self::Method<&Self::Memory>), InstanceMethod("trim", &Self::Method<&Self::Trim>),
       InstanceMethod("profile", &Self::Method<&Self::Profile>),
       InstanceMethod("takeProfile", &Self::Method<&Self::TakeProfile>)}));
  Export<OpenBackend>(env, exports, "openBackend");
}

NativeBackend::NativeBackend(const Napi::CallbackInfo& info) : GuardedWrap(info) {}

Napi::Object NativeBackend::New(Napi::Env env, std::shared_ptr<Backend> backend) {
  auto eager = std::make_unique<Eager>(backend, PlanCache::CapacityFromEnvironment());
  Napi::Object object = Environment::Of(env).backend_class.New({});
  NativeBackend* self = Unwrap(object);
  self->backend_ = std::move(backend);
  self->eager_ = std::move(eager);
  return object;
}

void NativeBackend::Finalize(Napi::Env) {
  eager_.reset();
  backend_.reset();
}

Eager& NativeBackend::eager() {
  if (!eager_) throw Error(ErrorCode::kConfig, "This is not an open backend: get one from openBackend().");
  return *eager_;
}

NativeTensor& NativeBackend::TensorOf(Napi::Value value, const std::string& name) {
  NativeTensor& tensor = NativeTensor::From(value, name);
  tensor.handle();  // throws where disposed
  if (tensor.backend() != &eager().backend()) {
    throw Error(ErrorCode::kDevice,
                "Expected " + name + " to be a tensor on " + backend_->name() + ", got one on " +
                    tensor.backend()->name() + ".",
                {{"argument", name}});
  }
  return tensor;
}

Napi::Value NativeBackend::GetName(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), eager().backend().name());
}

Napi::Value NativeBackend::Describe(const Napi::CallbackInfo& info) {
  Napi::Object facts = Napi::Object::New(info.Env());
  for (const auto& [key, text] : eager().backend().Describe()) facts.Set(key, text);
  const PlanCache::Counters counters = eager().plans().counters();
  facts.Set("planCache", std::to_string(counters.plans) + " of " + std::to_string(eager().plans().capacity()) +
                             " plans, " + std::to_string(counters.hits) + " hits, " + std::to_string(counters.misses) +
                             " misses, " + std::to_string(counters.evictions) + " evictions");
  return facts;
}

Napi::Value NativeBackend::Supports(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), eager().backend().Supports(ToDType(info[0], "dtype")));
}

// run(op, attributes, inputs) -> outputs
Napi::Value NativeBackend::Run(const Napi::CallbackInfo& info) {
  const Op op = ToOp(info[0], info[1]);
  const Napi::Array values = ToArray(info[2], "inputs");
  std::vector<std::shared_ptr<TensorHandle>> inputs(values.Length());
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    inputs[i] = TensorOf(values.Get(i), "input " + std::to_string(i) + " of " + InfoOf(op.kind).name).handle();
  }
  std::vector<Tensor> outputs = eager().Run(op, inputs);
  Napi::Array result = Napi::Array::New(info.Env(), outputs.size());
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    result.Set(i, NativeTensor::New(info.Env(), backend_, std::move(outputs[i])));
  }
  return result;
}

// infer(op, attributes, [{shape, dtype}]) -> [{shape, dtype}]: the outputs of an op, nothing computed
Napi::Value NativeBackend::Infer(const Napi::CallbackInfo& info) {
  const Op op = ToOp(info[0], info[1]);
  const Napi::Array values = ToArray(info[2], "inputs");
  std::vector<TensorDesc> inputs(values.Length());
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    const Napi::Object input = ToObject(values.Get(i), "inputs[" + std::to_string(i) + "]");
    inputs[i] = PlainDesc(ToDType(input.Get("dtype"), "dtype"), ToShape(input.Get("shape"), "shape"));
  }
  const std::vector<TensorDesc> outputs = InferOutputs(op, inputs);
  Napi::Array result = Napi::Array::New(info.Env(), outputs.size());
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    Napi::Object output = Napi::Object::New(info.Env());
    output.Set("shape", FromShape(info.Env(), outputs[i].shape));
    output.Set("dtype", residua::Name(outputs[i].dtype));
    result.Set(i, output);
  }
  return result;
}

// compile(nodes, leaves, outputs[, milliseconds]) -> program, planned for about so long; without, to the end
Napi::Value NativeBackend::Compile(const Napi::CallbackInfo& info) {
  const Program::Leaves leaves = ToLeaves(info[1], eager().backend());
  ProgramSpec spec = ToProgramSpec(info[0], static_cast<int>(leaves.size()), info[2]);
  const double seconds =
      info[3].IsUndefined() ? std::numeric_limits<double>::infinity() : ToNumber(info[3], "milliseconds") / 1000;
  auto program = std::make_unique<Program>(backend_, &eager().plans(), std::move(spec));
  program->PlanFor(leaves, seconds);
  return NativeProgram::New(info.Env(), backend_, std::move(program));
}

// fromHost(values, shape, dtype) -> tensor
Napi::Value NativeBackend::FromHost(const Napi::CallbackInfo& info) {
  Shape shape = ToShape(info[1], "shape");
  const DType dtype = ToDType(info[2], "dtype");
  const HostArray values = ToHostArray(info[0], "values");
  CheckHostValues(values, shape, dtype);
  if (!eager().backend().Supports(dtype)) {
    throw Error(ErrorCode::kDType, backend_->name() + " has no tensors of type " + residua::Name(dtype) + ".");
  }
  return NativeTensor::New(info.Env(), backend_, eager().FromHost(values.data, dtype, std::move(shape)));
}

// read(tensor) -> typed array
Napi::Value NativeBackend::Read(const Napi::CallbackInfo& info) {
  return ReadNow(info.Env(), &eager(), TensorOf(info[0], "tensor").handle()->tensor);
}

// readAsync(tensor) -> promise of a typed array
Napi::Value NativeBackend::ReadAsync(const Napi::CallbackInfo& info) {
  eager();
  return ReadLater(info.Env(), backend_, TensorOf(info[0], "tensor").handle()->tensor);
}

Napi::Value NativeBackend::Synchronize(const Napi::CallbackInfo& info) {
  eager().backend().Synchronize();
  eager().ThrowPendingError();
  return info.Env().Undefined();
}

Napi::Value NativeBackend::SetThreads(const Napi::CallbackInfo& info) {
  eager().backend().SetThreads(static_cast<int>(ToInteger(info[0], "threads", 1, kMaxThreads)));
  return info.Env().Undefined();
}

Napi::Value NativeBackend::Memory(const Napi::CallbackInfo& info) {
  const MemoryStats stats = eager().backend().Memory();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("tensors", static_cast<double>(stats.tensors));
  result.Set("bytes", static_cast<double>(stats.bytes));
  result.Set("peakBytes", static_cast<double>(stats.peak_bytes));
  result.Set("reservedBytes", static_cast<double>(stats.reserved_bytes));
  return result;
}

Napi::Value NativeBackend::Trim(const Napi::CallbackInfo& info) {
  eager().backend().Trim();
  return info.Env().Undefined();
}

// setTuning(on)
Napi::Value NativeBackend::SetTuning(const Napi::CallbackInfo& info) {
  eager().backend().SetTuning(info[0].ToBoolean());
  return info.Env().Undefined();
}

// profile(on)
Napi::Value NativeBackend::Profile(const Napi::CallbackInfo& info) {
  SwitchProfile(&eager().backend(), info[0].ToBoolean());
  return info.Env().Undefined();
}

// takeProfile() -> times of ops
Napi::Value NativeBackend::TakeProfile(const Napi::CallbackInfo& info) {
  return binding::TakeProfile(info.Env(), &eager().backend());
}

}  // namespace residua::binding
