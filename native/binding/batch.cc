// prepareBatch: makes a batch (core/batch.h) on a thread of the pool.
#include "binding/batch.h"

#include <utility>

#include "binding/args.h"
#include "binding/errors.h"
#include "core/batch.h"

namespace residua::binding {

namespace {

constexpr int64_t kMaxImageSide = 1 << 20;

// The request's arrays, each read from it once: they stay the same ones from the checks to the end.
struct Arrays {
  Napi::Value images, labels, indices, out_images, out_labels;
};

HostArray ArrayOf(Napi::Value value, const char* name, napi_typedarray_type type) {
  const HostArray array = ToHostArray(value, name);
  if (array.type != type) {
    throw Error(
        ErrorCode::kDType,
        std::string("prepareBatch expected ") + name + " to be a " + Name(type) + ", got a " + Name(array.type) + ".",
        {{"argument", name}});
  }
  return array;
}

void CheckLength(const char* name, const HostArray& array, const Shape& shape) {
  int64_t count = 0;
  if (CountElements(shape, &count) && array.length == static_cast<uint64_t>(count)) return;
  throw Error(ErrorCode::kShape,
              std::string("prepareBatch expected ") + name + " to hold " + ToString(shape) + " elements, got " +
                  std::to_string(array.length) + ".",
              {{"argument", name}, {"expected", ToString(shape)}, {"found", std::to_string(array.length)}});
}

// The number of images in the data set.
int64_t CountImages(const HostArray& images, const BatchTask& task) {
  const Shape image = {task.channels, task.height, task.width};
  const auto length = static_cast<int64_t>(images.length);
  int64_t size = 0;
  if (!CountElements(image, &size) || length % size != 0) {
    throw Error(ErrorCode::kShape,
                "prepareBatch expected images to be a whole number of " + ToString(image) + " images, got " +
                    std::to_string(length) + " bytes.",
                {{"argument", "images"}, {"expected", ToString(image)}, {"found", std::to_string(length)}});
  }
  return length / size;
}

void SetLabels(Napi::Value value, int64_t count, BatchTask* task) {
  const HostArray labels = ToHostArray(value, "labels");
  if (labels.type == napi_uint8_array) {
    task->labels = static_cast<const uint8_t*>(labels.data);
  } else {
    task->labels = reinterpret_cast<const int32_t*>(ArrayOf(value, "labels", napi_int32_array).data);
  }
  CheckLength("labels", labels, {count});
}

// A copy, so that nobody changes them after the check.
void SetIndices(Napi::Value value, int64_t count, BatchTask* task) {
  const HostArray array = ArrayOf(value, "indices", napi_int32_array);
  const auto* indices = reinterpret_cast<const int32_t*>(array.data);
  task->indices.assign(indices, indices + array.length);
  for (int32_t index : task->indices) {
    if (index >= 0 && index < count) continue;
    throw Error(
        ErrorCode::kData,
        "prepareBatch expected indices from 0 to " + std::to_string(count - 1) + ", got " + std::to_string(index) + ".",
        {{"argument", "indices"}, {"found", std::to_string(index)}});
  }
}

BatchTask ToTask(Napi::Object request) {
  const auto size_of = [&request](const char* name) { return ToInteger(request.Get(name), name, 1, kMaxImageSide); };
  BatchTask task;
  task.channels = size_of("channels");
  task.height = size_of("height");
  task.width = size_of("width");
  task.out_height = size_of("outHeight");
  task.out_width = size_of("outWidth");
  task.scale = static_cast<float>(ToNumber(request.Get("scale"), "scale"));
  return task;
}

void SetArrays(const Arrays& arrays, BatchTask* task) {
  const HostArray images = ArrayOf(arrays.images, "images", napi_uint8_array);
  task->images = images.data;
  const int64_t count = CountImages(images, *task);
  SetLabels(arrays.labels, count, task);
  SetIndices(arrays.indices, count, task);

  const auto rows = static_cast<int64_t>(task->indices.size());
  const HostArray out_images = ArrayOf(arrays.out_images, "outImages", napi_float32_array);
  const HostArray out_labels = ArrayOf(arrays.out_labels, "outLabels", napi_int32_array);
  CheckLength("outImages", out_images, {rows, task->channels, task->out_height, task->out_width});
  CheckLength("outLabels", out_labels, {rows});
  task->out_images = reinterpret_cast<float*>(out_images.data);
  task->out_labels = reinterpret_cast<int32_t*>(out_labels.data);
}

// Keeps the arrays alive while the pool works on them.
class BatchWorker : public Napi::AsyncWorker {
 public:
  BatchWorker(Napi::Env env, const Arrays& arrays, BatchTask task)
      : AsyncWorker(env, "residua prepareBatch"), task_(std::move(task)), deferred_(Napi::Promise::Deferred::New(env)) {
    Napi::Array kept = Napi::Array::New(env);
    for (Napi::Value array : {arrays.images, arrays.labels, arrays.out_images, arrays.out_labels}) {
      kept.Set(kept.Length(), array);
    }
    kept_ = Napi::Persistent<Napi::Object>(kept);
  }

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override { PrepareBatch(task_); }
  void OnOK() override { deferred_.Resolve(Env().Undefined()); }
  void OnError(const Napi::Error& error) override {
    deferred_.Reject(ToJavaScript(Env(), Error(ErrorCode::kNative, error.Message(), {{"op", "prepareBatch"}})));
  }

 private:
  BatchTask task_;
  Napi::ObjectReference kept_;  // the arrays
  Napi::Promise::Deferred deferred_;
};

// prepareBatch(request) -> promise
Napi::Value StartBatch(const Napi::CallbackInfo& info) {
  const Napi::Object request = ToObject(info[0], "request");
  BatchTask task = ToTask(request);
  const Arrays arrays = {request.Get("images"), request.Get("labels"), request.Get("indices"), request.Get("outImages"),
                         request.Get("outLabels")};
  SetArrays(arrays, &task);
  auto* worker = new BatchWorker(info.Env(), arrays, std::move(task));  // deletes itself when done
  const Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
}

}  // namespace

void InitBatch(Napi::Env env, Napi::Object exports) { Export<StartBatch>(env, exports, "prepareBatch"); }

}  // namespace residua::binding
