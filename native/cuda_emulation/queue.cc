// Appends tasks to streams and runs them.
#include "cuda_emulation/queue.h"

#include <algorithm>

namespace residua::cuda_emulation {
namespace {

// The default stream waits for all streams that are not 'non-blocking', and they wait for it.
void AppendImplicitWaits(Runtime* runtime, const std::shared_ptr<CUstream_st>& stream) {
  const auto wait_for = [&](const std::shared_ptr<CUstream_st>& other) {
    const auto tail = TailOf(other);
    if (IsReached(*tail)) return;
    Task task;
    task.wait_for = tail;
    stream->tasks.push_back(std::move(task));
    ++stream->enqueued;
  };
  if (stream == runtime->default_stream) {
    for (const auto& [handle, other] : runtime->streams) {
      if ((other->flags & cudaStreamNonBlocking) == 0) wait_for(other);
    }
  } else if ((stream->flags & cudaStreamNonBlocking) == 0) {
    wait_for(runtime->default_stream);
  }
}

// The default stream would wait for streams that are being captured, which cannot run.
cudaError_t CheckImplicitCapture(const Runtime& runtime) {
  cudaError_t status = cudaSuccess;
  for (const auto& capture : runtime.captures) {
    for (const CUstream_st* stream : capture->streams) {
      if ((stream->flags & cudaStreamNonBlocking) != 0) continue;
      Invalidate(capture.get());
      status = cudaErrorStreamCaptureImplicit;
    }
  }
  return status;
}

void RunTask(Runtime* runtime, Lock* lock, const Task& task) {
  if (task.wait_for != nullptr) RunUntil(runtime, lock, *task.wait_for);
  if (task.reaches != nullptr) task.reaches->time = std::chrono::steady_clock::now();
  if (task.work == nullptr || DeviceError() != cudaSuccess) return;  // a lost device drops its work
  lock->unlock();
  if (task.is_host_function) {
    RunHostFunction(*task.work);
  } else {
    (*task.work)();
  }
  lock->lock();
}

}  // namespace

Runtime& Runtime::Get() {
  static auto* runtime = new Runtime;  // never destroyed: threads may call until the process ends
  return *runtime;
}

std::shared_ptr<CUstream_st> FindStream(const Runtime& runtime, cudaStream_t handle) {
  if (handle == nullptr) return runtime.default_stream;
  const auto found = runtime.streams.find(handle);
  return found == runtime.streams.end() ? nullptr : found->second;
}

std::shared_ptr<Record> TailOf(const std::shared_ptr<CUstream_st>& stream) {
  auto record = std::make_shared<Record>();
  record->stream = stream;
  record->position = stream->enqueued;
  return record;
}

bool IsReached(const Record& record) { return record.stream->finished >= record.position; }

void Invalidate(Capture* capture) { capture->is_invalid = true; }

cudaError_t Append(Runtime* runtime, const std::shared_ptr<CUstream_st>& stream, Task task) {
  if (stream->capture != nullptr) {
    Capture& capture = *stream->capture;
    if (capture.is_invalid) return cudaErrorStreamCaptureInvalidated;
    auto node = std::make_shared<CUgraphNode_st>();
    node->task = std::move(task);
    node->needs = stream->frontier;
    stream->frontier = {capture.nodes.size()};
    capture.nodes.push_back(std::move(node));
    return cudaSuccess;
  }
  if (stream == runtime->default_stream) {
    const cudaError_t status = CheckImplicitCapture(*runtime);
    if (status != cudaSuccess) return status;
  }
  AppendImplicitWaits(runtime, stream);
  stream->tasks.push_back(std::move(task));
  ++stream->enqueued;
  return cudaSuccess;
}

// No two threads can wait for each other here: a task waits only for points that were set before it was queued, so the
// task behind which a stream stands still always has a way to its end.
void RunUntil(Runtime* runtime, Lock* lock, const Record& record) {
  const std::shared_ptr<CUstream_st> stream = record.stream;
  while (!IsReached(record)) {
    if (stream->is_running) {
      runtime->changed.wait(*lock);
      continue;
    }
    const Task task = std::move(stream->tasks.front());
    stream->tasks.pop_front();
    stream->is_running = true;
    RunTask(runtime, lock, task);
    stream->is_running = false;
    ++stream->finished;
    runtime->changed.notify_all();
  }
}

void RunEverything(Runtime* runtime, Lock* lock) {
  std::vector<std::shared_ptr<Record>> tails = {TailOf(runtime->default_stream)};
  for (const auto& [handle, stream] : runtime->streams) tails.push_back(TailOf(stream));
  for (const auto& stream : runtime->destroyed_streams) tails.push_back(TailOf(stream));
  for (const auto& tail : tails) RunUntil(runtime, lock, *tail);
  auto& destroyed = runtime->destroyed_streams;
  destroyed.erase(std::remove_if(destroyed.begin(), destroyed.end(),
                                 [](const auto& stream) { return stream->finished == stream->enqueued; }),
                  destroyed.end());
}

cudaError_t Enqueue(cudaStream_t handle, Work work) {
  Runtime& runtime = Runtime::Get();
  const Lock lock(runtime.mutex);
  const auto stream = FindStream(runtime, handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  Task task;
  task.work = std::make_shared<const Work>(std::move(work));
  return Append(&runtime, stream, std::move(task));
}

bool IsStream(cudaStream_t handle) {
  Runtime& runtime = Runtime::Get();
  const Lock lock(runtime.mutex);
  return FindStream(runtime, handle) != nullptr;
}

bool IsCapturing(cudaStream_t handle) {
  Runtime& runtime = Runtime::Get();
  const Lock lock(runtime.mutex);
  const auto stream = FindStream(runtime, handle);
  return stream != nullptr && stream->capture != nullptr;
}

void InvalidateCapture(cudaStream_t handle) {
  Runtime& runtime = Runtime::Get();
  const Lock lock(runtime.mutex);
  const auto stream = FindStream(runtime, handle);
  if (stream != nullptr && stream->capture != nullptr) Invalidate(stream->capture.get());
}

void RunStream(cudaStream_t handle) {
  Runtime& runtime = Runtime::Get();
  Lock lock(runtime.mutex);
  const auto stream = FindStream(runtime, handle);
  if (stream != nullptr) RunUntil(&runtime, &lock, *TailOf(stream));
}

void RunAllStreams() {
  Runtime& runtime = Runtime::Get();
  Lock lock(runtime.mutex);
  RunEverything(&runtime, &lock);
}

}  // namespace residua::cuda_emulation
