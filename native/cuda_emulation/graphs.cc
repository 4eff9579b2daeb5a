// The run-time API's stream capture and graphs. A graph runs its nodes in the order in which they were captured.
#include "cuda_emulation/queue.h"

using namespace residua::cuda_emulation;

namespace {

thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

// Whether the capture forbids this thread calls that it would not see (cudaThreadExchangeStreamCaptureMode).
bool Forbids(const Capture& capture) {
  if (thread_mode == cudaStreamCaptureModeRelaxed) return false;
  if (capture.thread == std::this_thread::get_id()) return capture.mode != cudaStreamCaptureModeRelaxed;
  return thread_mode == cudaStreamCaptureModeGlobal && capture.mode == cudaStreamCaptureModeGlobal;
}

// Whether the origin comes after everything that the other streams of the capture do.
bool IsJoined(const Capture& capture) {
  std::vector<bool> is_before(capture.nodes.size(), false);
  std::vector<size_t> pending = capture.origin->frontier;
  while (!pending.empty()) {
    const size_t node = pending.back();
    pending.pop_back();
    if (is_before[node]) continue;
    is_before[node] = true;
    pending.insert(pending.end(), capture.nodes[node]->needs.begin(), capture.nodes[node]->needs.end());
  }
  for (const CUstream_st* stream : capture.streams) {
    for (size_t node : stream->frontier) {
      if (!is_before[node]) return false;
    }
  }
  return true;
}

void Release(Runtime* runtime, const std::shared_ptr<Capture>& capture) {
  for (CUstream_st* stream : capture->streams) {
    stream->capture = nullptr;
    stream->frontier.clear();
  }
  capture->has_ended = true;
  runtime->captures.erase(capture);
}

bool HasHostFunction(const CUgraphExec_st& exec) {
  for (const auto& node : exec.nodes) {
    if (node->task.is_host_function) return true;
  }
  return false;
}

// Finds the graph and calls body(runtime) under the lock.
template <class Body>
cudaError_t WithExec(const char* function, cudaGraphExec_t exec, const Body& body) {
  return Call(function, [&] {
    Runtime& runtime = Runtime::Get();
    const Lock lock(runtime.mutex);
    return runtime.graph_execs.count(exec) == 0 ? cudaErrorInvalidValue : body(&runtime);
  });
}

}  // namespace

namespace residua::cuda_emulation {

cudaError_t CheckUnsafeCall() {
  Runtime& runtime = Runtime::Get();
  const Lock lock(runtime.mutex);
  cudaError_t status = cudaSuccess;
  for (const auto& capture : runtime.captures) {
    if (!Forbids(*capture)) continue;
    Invalidate(capture.get());
    status = cudaErrorStreamCaptureUnsupported;
  }
  return status;
}

}  // namespace residua::cuda_emulation

cudaError_t cudaThreadExchangeStreamCaptureMode(enum cudaStreamCaptureMode* mode) {
  return Call(__func__, [&] {
    if (mode == nullptr || *mode < cudaStreamCaptureModeGlobal || *mode > cudaStreamCaptureModeRelaxed) {
      return cudaErrorInvalidValue;
    }
    std::swap(*mode, thread_mode);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, enum cudaStreamCaptureMode mode) {
  return Call(__func__, [&] {
    Runtime& runtime = Runtime::Get();
    const Lock lock(runtime.mutex);
    const auto stream = FindStream(runtime, handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream == runtime.default_stream) return cudaErrorStreamCaptureUnsupported;
    if (stream->capture != nullptr) return cudaErrorIllegalState;
    if (mode < cudaStreamCaptureModeGlobal || mode > cudaStreamCaptureModeRelaxed) return cudaErrorInvalidValue;
    auto capture = std::make_shared<Capture>();
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    capture->origin = stream.get();
    capture->streams = {stream.get()};
    runtime.captures.insert(capture);
    stream->frontier.clear();
    stream->capture = std::move(capture);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* pGraph) {
  return Call(__func__, [&] {
    Runtime& runtime = Runtime::Get();
    const Lock lock(runtime.mutex);
    if (pGraph == nullptr) return cudaErrorInvalidValue;
    *pGraph = nullptr;
    const auto stream = FindStream(runtime, handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    const std::shared_ptr<Capture> capture = stream->capture;
    if (capture == nullptr) return cudaErrorIllegalState;
    if (capture->origin != stream.get()) {
      Invalidate(capture.get());
      return cudaErrorStreamCaptureUnmatched;
    }
    if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id()) {
      return cudaErrorStreamCaptureWrongThread;
    }
    const bool is_joined = IsJoined(*capture);
    Release(&runtime, capture);
    if (capture->is_invalid) return cudaErrorStreamCaptureInvalidated;
    if (!is_joined) return cudaErrorStreamCaptureUnjoined;
    *pGraph = new CUgraph_st{capture->nodes};
    runtime.graphs.insert(*pGraph);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, enum cudaStreamCaptureStatus* pCaptureStatus) {
  return Call(__func__, [&] {
    Runtime& runtime = Runtime::Get();
    const Lock lock(runtime.mutex);
    if (pCaptureStatus == nullptr) return cudaErrorInvalidValue;
    const auto stream = FindStream(runtime, handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    *pCaptureStatus = stream->capture == nullptr    ? cudaStreamCaptureStatusNone
                      : stream->capture->is_invalid ? cudaStreamCaptureStatusInvalidated
                                                    : cudaStreamCaptureStatusActive;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* numNodes) {
  return Call(__func__, [&] {
    Runtime& runtime = Runtime::Get();
    const Lock lock(runtime.mutex);
    if (runtime.graphs.count(graph) == 0 || numNodes == nullptr) return cudaErrorInvalidValue;
    if (nodes != nullptr) {
      for (size_t i = 0; i < *numNodes; ++i) nodes[i] = i < graph->nodes.size() ? graph->nodes[i].get() : nullptr;
    }
    *numNodes = graph->nodes.size();
    return cudaSuccess;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return Call(__func__, [&] {
    Runtime& runtime = Runtime::Get();
    const Lock lock(runtime.mutex);
    if (runtime.graphs.erase(graph) == 0) return cudaErrorInvalidValue;
    delete graph;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* pGraphExec, cudaGraph_t graph, unsigned long long flags) {
  return Call(__func__, [&] {
    Runtime& runtime = Runtime::Get();
    const Lock lock(runtime.mutex);
    if (pGraphExec == nullptr || runtime.graphs.count(graph) == 0 || flags != 0) return cudaErrorInvalidValue;
    *pGraphExec = new CUgraphExec_st{graph->nodes, nullptr};
    runtime.graph_execs.insert(*pGraphExec);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t graphExec, cudaStream_t handle) {
  return WithExec(__func__, graphExec, [&](Runtime* runtime) {
    const auto stream = FindStream(*runtime, handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    return stream->capture != nullptr ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graphExec, cudaStream_t handle) {
  return WithExec(__func__, graphExec, [&](Runtime* runtime) {
    const auto stream = FindStream(*runtime, handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (graphExec->last_launch != nullptr && stream->capture == nullptr) {
      Task task;
      task.wait_for = graphExec->last_launch;
      const cudaError_t status = Append(runtime, stream, std::move(task));
      if (status != cudaSuccess) return status;
    }
    for (const auto& node : graphExec->nodes) {
      const cudaError_t status = Append(runtime, stream, node->task);
      if (status != cudaSuccess) return status;
    }
    if (stream->capture != nullptr) return cudaSuccess;
    graphExec->last_launch = TailOf(stream);
    if (HasHostFunction(*graphExec)) BringOn(graphExec->last_launch);
    return cudaSuccess;
  });
}

// Launches that are queued still run: they hold the nodes.
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graphExec) {
  return WithExec(__func__, graphExec, [&](Runtime* runtime) {
    runtime->graph_execs.erase(graphExec);
    delete graphExec;
    return cudaSuccess;
  });
}
