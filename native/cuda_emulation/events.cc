// The run-time API's events.
#include "cuda_emulation/queue.h"

using namespace residua::cuda_emulation;

namespace {

// Calls body(runtime, lock) under the lock if the event is live.
template <class Body>
cudaError_t WithEvent(const char* function, cudaEvent_t event, const Body& body) {
  return Call(function, [&] {
    Runtime& runtime = Runtime::Get();
    Lock lock(runtime.mutex);
    return runtime.events.count(event) == 0 ? cudaErrorInvalidResourceHandle : body(&runtime, &lock);
  });
}

// Whether the host may look at the event: not while a thread that captures does it, nor at one recorded in a capture.
cudaError_t CheckLook(cudaEvent_t event, Lock* lock) {
  if (event->capture != nullptr) {
    Invalidate(event->capture.get());
    return cudaErrorCapturedEvent;
  }
  lock->unlock();
  const cudaError_t status = CheckUnsafeCall();
  lock->lock();
  return status;
}

void AppendOnce(std::vector<size_t>* frontier, const std::vector<size_t>& more) {
  for (size_t node : more) {
    bool is_there = false;
    for (size_t known : *frontier) is_there |= known == node;
    if (!is_there) frontier->push_back(node);
  }
}

// An event of a capture: the stream joins the capture, or comes after what the event stands for.
cudaError_t WaitInCapture(const std::shared_ptr<CUstream_st>& stream, CUevent_st* event, const Runtime& runtime) {
  Capture& capture = *event->capture;
  if (capture.has_ended) return cudaErrorCapturedEvent;
  if (capture.is_invalid) return cudaErrorStreamCaptureInvalidated;
  if (stream == runtime.default_stream) {
    Invalidate(&capture);
    return cudaErrorStreamCaptureImplicit;
  }
  if (stream->capture == nullptr) {
    stream->capture = event->capture;
    stream->frontier = event->frontier;
    capture.streams.push_back(stream.get());
    return cudaSuccess;
  }
  if (stream->capture != event->capture) {
    Invalidate(&capture);
    Invalidate(stream->capture.get());
    return cudaErrorStreamCaptureMerge;
  }
  AppendOnce(&stream->frontier, event->frontier);
  return cudaSuccess;
}

cudaError_t Create(cudaEvent_t* event, unsigned flags) {
  if (event == nullptr || (flags & ~(cudaEventBlockingSync | cudaEventDisableTiming)) != 0) {
    return cudaErrorInvalidValue;
  }
  Runtime& runtime = Runtime::Get();
  const Lock lock(runtime.mutex);
  *event = new CUevent_st;
  (*event)->flags = flags;
  runtime.events.insert(*event);
  return cudaSuccess;
}

}  // namespace

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int flags) {
  return Call(__func__, [&] { return Create(event, flags); });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return Call(__func__, [&] { return Create(event, cudaEventDefault); });
}

// Waits for the event that are queued go on: they hold the point, not the event.
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return WithEvent(__func__, event, [&](Runtime* runtime, Lock*) {
    runtime->events.erase(event);
    delete event;
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  return WithEvent(__func__, event, [&](Runtime* runtime, Lock*) {
    const auto stream = FindStream(*runtime, handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->capture != nullptr) {
      if (stream->capture->is_invalid) return cudaErrorStreamCaptureInvalidated;
      event->record = nullptr;
      event->capture = stream->capture;
      event->frontier = stream->frontier;
      return cudaSuccess;
    }
    Task task;
    auto record = std::make_shared<Record>();
    task.reaches = record;
    const cudaError_t status = Append(runtime, stream, std::move(task));
    if (status != cudaSuccess) return status;
    record->stream = stream;
    record->position = stream->enqueued;
    event->record = std::move(record);
    event->capture = nullptr;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned int flags) {
  return WithEvent(__func__, event, [&](Runtime* runtime, Lock*) {
    if (flags != cudaEventWaitDefault) return cudaErrorInvalidValue;
    const auto stream = FindStream(*runtime, handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (event->capture != nullptr) return WaitInCapture(stream, event, *runtime);
    if (event->record == nullptr) return cudaSuccess;
    if (stream->capture != nullptr) {  // what the graph would wait for lies outside it
      Invalidate(stream->capture.get());
      return cudaErrorStreamCaptureIsolation;
    }
    if (event->record->stream == stream) return cudaSuccess;
    Task task;
    task.wait_for = event->record;
    return Append(runtime, stream, std::move(task));
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return WithEvent(__func__, event, [&](Runtime* runtime, Lock* lock) {
    const cudaError_t status = CheckLook(event, lock);
    if (status != cudaSuccess) return status;
    const std::shared_ptr<Record> record = event->record;
    if (record != nullptr) RunUntil(runtime, lock, *record);
    return DeviceError();
  });
}

// Not ready when first asked, so that callers meet that answer; the second question runs the work.
cudaError_t cudaEventQuery(cudaEvent_t event) {
  return WithEvent(__func__, event, [&](Runtime* runtime, Lock* lock) {
    const cudaError_t status = CheckLook(event, lock);
    if (status != cudaSuccess) return status;
    const std::shared_ptr<Record> record = event->record;
    if (record == nullptr) return cudaSuccess;
    if (!IsReached(*record) && !record->asked) {
      record->asked = true;
      return cudaErrorNotReady;
    }
    RunUntil(runtime, lock, *record);
    return DeviceError();
  });
}

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
  return WithEvent(__func__, start, [&](Runtime* runtime, Lock*) {
    if (ms == nullptr) return cudaErrorInvalidValue;
    if (runtime->events.count(end) == 0) return cudaErrorInvalidResourceHandle;
    for (const CUevent_st* event : {start, end}) {
      if ((event->flags & cudaEventDisableTiming) != 0 || event->record == nullptr) {
        return cudaErrorInvalidResourceHandle;
      }
    }
    if (!IsReached(*start->record) || !IsReached(*end->record)) return cudaErrorNotReady;
    *ms = std::chrono::duration<float, std::milli>(end->record->time - start->record->time).count();
    return cudaSuccess;
  });
}
