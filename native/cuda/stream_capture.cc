// Captures what is enqueued on a stream into a CUDA graph.
#include "cuda/stream_capture.h"

namespace residua::cuda {

StreamCapture::StreamCapture(cudaStream_t stream) : stream_(stream) {
  RESIDUA_CUDA(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
}

StreamCapture::~StreamCapture() {
  if (has_ended_) return;
  Owned<cudaGraph_t, cudaGraphDestroy> dropped;
  static_cast<void>(cudaStreamEndCapture(stream_, dropped.address()));
  static_cast<void>(cudaGetLastError());  // what went wrong is told already; a launch would find it again
}

ExecutableGraph StreamCapture::End() {
  Owned<cudaGraph_t, cudaGraphDestroy> graph;
  RESIDUA_CUDA(cudaStreamEndCapture(stream_, graph.address()));
  has_ended_ = true;
  ExecutableGraph executable;
  RESIDUA_CUDA(cudaGraphInstantiate(executable.address(), graph.get(), 0));
  RESIDUA_CUDA(cudaGraphUpload(executable.get(), stream_));
  return executable;
}

}  // namespace residua::cuda
