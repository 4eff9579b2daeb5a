// Captures what is enqueued on a stream into a CUDA graph.
#pragma once
#include "cuda/owned.h"

namespace residua::cuda {

using ExecutableGraph = Owned<cudaGraphExec_t, cudaGraphExecDestroy>;

// From its construction to End (or its destruction, which drops what was captured) work on the stream is not run. Other
// threads are not hindered (cudaStreamCaptureModeThreadLocal); this one must not wait or take memory from the device.
class StreamCapture {
 public:
  explicit StreamCapture(cudaStream_t stream);
  ~StreamCapture();
  StreamCapture(const StreamCapture&) = delete;
  StreamCapture& operator=(const StreamCapture&) = delete;

  // The graph, ready for the stream to launch.
  ExecutableGraph End();

 private:
  cudaStream_t stream_;
  bool has_ended_ = false;
};

}  // namespace residua::cuda
