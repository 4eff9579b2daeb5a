// Copies tensors to the host as typed arrays: at once, or by a promise.
#include "binding/read.h"

#include <future>
#include <mutex>
#include <utility>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/host_array.h"

namespace residua::binding {

namespace {

struct HostValues {
  std::unique_ptr<uint8_t[]> bytes;
  size_t size = 0;
  DType dtype = DType::kFloat32;
  std::shared_ptr<const Error> error;
};

// Any thread. 16-bit floats become float32.
HostValues ToHostValues(Download download, DType dtype) {
  if (download.error) return {nullptr, 0, dtype, std::move(download.error)};
  if (SizeOf(dtype) != 2) return {std::move(download.bytes), download.size, dtype, nullptr};
  const size_t count = download.size / 2;
  try {
    return {WidenToFloat32(download.bytes.get(), count, dtype), count * sizeof(float), DType::kFloat32, nullptr};
  } catch (const std::exception&) {  // on the execution thread, where no Guard is
    return {nullptr, 0, dtype, std::make_shared<const Error>(CurrentError())};
  }
}

void CheckSize(const Tensor& tensor) {
  const uint64_t element = SizeOf(tensor.desc.dtype) == 2 ? sizeof(float) : SizeOf(tensor.desc.dtype);
  const uint64_t bytes = static_cast<uint64_t>(NumElements(tensor.desc.shape)) * element;
  if (bytes <= kMaxHostBytes) return;
  throw Error(ErrorCode::kOutOfMemory,
              "A typed array holds at most " + std::to_string(kMaxHostBytes) + " bytes; the tensor " +
                  ToString(tensor.desc.shape) + " needs " + std::to_string(bytes) + ".",
              {{"bytesAsked", std::to_string(bytes)}});
}

bool IsEmpty(const Tensor& tensor) { return NumElements(tensor.desc.shape) == 0; }

// The failure to report for a tensor that could not be computed. Where nobody has been told yet of the first failure
// it is that one: it comes before this one, or is the same, and it has been told of then.
std::shared_ptr<const Error> FirstFailure(Backend* backend, std::shared_ptr<const Error> own) {
  const std::shared_ptr<const Error> pending = backend ? backend->TakePendingError() : nullptr;
  return pending ? pending : own;
}

struct PendingRead {
  Napi::Promise::Deferred deferred;
  std::weak_ptr<Backend> backend;
  HostValues values;
};

// On the JavaScript thread.
void Settle(Napi::Env env, Napi::Function, void*, PendingRead* read) {
  const std::unique_ptr<PendingRead> owner(read);
  if (static_cast<napi_env>(env) == nullptr) return;  // the environment is gone
  HostValues& values = read->values;
  if (values.error) {
    read->deferred.Reject(ToJavaScript(env, *FirstFailure(read->backend.lock().get(), values.error)));
  } else {
    read->deferred.Resolve(AdoptHost(env, std::move(values.bytes), values.size, values.dtype));
  }
}

using SettleFunction = Napi::TypedThreadSafeFunction<void, PendingRead, Settle>;

// Whether the environment still takes values. Node 20 deletes a thread-safe function when the environment ends, even
// one that a thread is about to call: the lock keeps the two apart.
struct Gate {
  std::mutex mutex;
  bool open = true;
};

// Hands the values over to the JavaScript thread. Destroyed without a Send, it lets the environment end.
class Delivery {
 public:
  Delivery(Napi::Env env, std::unique_ptr<PendingRead> read) : gate_(std::make_shared<Gate>()), read_(std::move(read)) {
    const auto close = [gate = gate_](Napi::Env, void*, void*) {
      const std::lock_guard<std::mutex> lock(gate->mutex);
      gate->open = false;
    };
    settle_ = SettleFunction::New(env, "residua readAsync", 0, 1, static_cast<void*>(nullptr), close);
  }
  ~Delivery() {
    const std::lock_guard<std::mutex> lock(gate_->mutex);
    if (read_ && gate_->open) settle_.Release();
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  void Send(HostValues values) {
    std::unique_ptr<PendingRead> read = std::move(read_);
    read->values = std::move(values);
    const std::lock_guard<std::mutex> lock(gate_->mutex);
    if (!gate_->open || settle_.BlockingCall(read.get()) != napi_ok) return;  // the environment is ending
    read.release();                                                           // Settle has it
    settle_.Release();
  }

 private:
  std::shared_ptr<Gate> gate_;
  SettleFunction settle_;
  std::unique_ptr<PendingRead> read_;
};

}  // namespace

Napi::Value ReadNow(Napi::Env env, Eager* eager, const Tensor& tensor) {
  const DType dtype = tensor.desc.dtype;
  if (IsEmpty(tensor)) return AdoptHost(env, nullptr, 0, dtype);
  CheckSize(tensor);
  std::promise<Download> done;
  eager->backend().DownloadAsync(tensor, [&done](Download download) { done.set_value(std::move(download)); });
  HostValues values = ToHostValues(done.get_future().get(), dtype);
  if (values.error) throw *FirstFailure(&eager->backend(), values.error);
  return AdoptHost(env, std::move(values.bytes), values.size, values.dtype);
}

Napi::Value ReadLater(Napi::Env env, const std::shared_ptr<Backend>& backend, const Tensor& tensor) {
  const auto deferred = Napi::Promise::Deferred::New(env);
  const DType dtype = tensor.desc.dtype;
  if (IsEmpty(tensor)) {
    deferred.Resolve(AdoptHost(env, nullptr, 0, dtype));
    return deferred.Promise();
  }
  CheckSize(tensor);
  auto read = std::make_unique<PendingRead>(PendingRead{deferred, backend, {}});
  const auto delivery = std::make_shared<Delivery>(env, std::move(read));
  backend->DownloadAsync(
      tensor, [delivery, dtype](Download download) { delivery->Send(ToHostValues(std::move(download), dtype)); });
  return deferred.Promise();
}

}  // namespace residua::binding
