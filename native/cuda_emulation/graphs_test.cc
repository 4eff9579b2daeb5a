// Stream capture and graphs of the emulated run-time.
#include <atomic>
#include <chrono>
#include <thread>

#include "cuda_emulation/streams.h"
#include "cuda_emulation/test_checks.h"

using namespace residua::cuda_emulation;

namespace {

using Log = std::vector<int>;

void Append(cudaStream_t stream, Log* log, int value) {
  EXPECT_OK(Enqueue(stream, [=] { log->push_back(value); }));
}

void Begin(cudaStream_t stream, cudaStreamCaptureMode mode = cudaStreamCaptureModeThreadLocal) {
  EXPECT_OK(cudaStreamBeginCapture(stream, mode));
}

cudaStreamCaptureStatus StatusOf(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  EXPECT_OK(cudaStreamIsCapturing(stream, &status));
  return status;
}

// Ends a capture that must have gone wrong.
cudaError_t EndOf(cudaStream_t stream) {
  cudaGraph_t graph = nullptr;
  const cudaError_t status = cudaStreamEndCapture(stream, &graph);
  EXPECT(status == cudaSuccess || graph == nullptr);
  if (graph != nullptr) EXPECT_OK(cudaGraphDestroy(graph));
  EXPECT_EQUAL(StatusOf(stream), cudaStreamCaptureStatusNone);
  return status;
}

// Ends a capture and makes its graph ready.
class Graph {
 public:
  explicit Graph(cudaStream_t stream) {
    cudaGraph_t graph = nullptr;
    EXPECT_OK(cudaStreamEndCapture(stream, &graph));
    EXPECT_OK(cudaGraphGetNodes(graph, nullptr, &nodes));
    EXPECT_OK(cudaGraphInstantiate(&exec_, graph, 0));
    EXPECT_OK(cudaGraphDestroy(graph));
  }
  ~Graph() { (void)cudaGraphExecDestroy(exec_); }
  void Launch(cudaStream_t stream) const { EXPECT_OK(cudaGraphLaunch(exec_, stream)); }

  size_t nodes = 0;

 private:
  cudaGraphExec_t exec_ = nullptr;
};

}  // namespace

TEST(CaptureDoesNotRun, "graphs: captured work runs on each launch of the graph, and not before") {
  Log log;
  const Stream stream;
  Append(stream, &log, 0);
  Begin(stream);
  EXPECT_EQUAL(StatusOf(stream), cudaStreamCaptureStatusActive);
  Append(stream, &log, 1);
  Append(stream, &log, 2);
  const Graph graph(stream);
  EXPECT_EQUAL(graph.nodes, 2u);
  EXPECT_OK(cudaStreamSynchronize(stream));
  EXPECT(log == Log({0}));
  graph.Launch(stream);
  Append(stream, &log, 3);
  graph.Launch(stream);
  EXPECT(log == Log({0}));
  EXPECT_OK(cudaStreamSynchronize(stream));
  EXPECT(log == Log({0, 1, 2, 3, 1, 2}));
}

TEST(ReplayReadsAgain, "graphs: a copy from pinned memory reads it on each launch") {
  const Stream stream;
  const DeviceArray<int> device(1);
  const PinnedArray<int> pinned(std::vector<int>{1});
  Begin(stream);
  EXPECT_OK(cudaMemcpyAsync(device.get(), pinned.get(), 4, cudaMemcpyHostToDevice, stream));
  const Graph graph(stream);
  for (int value : {5, 6}) {
    pinned[0] = value;
    graph.Launch(stream);
    EXPECT_OK(cudaStreamSynchronize(stream));
    EXPECT_EQUAL(device[0], value);
  }
}

TEST(HostFunctionsInGraphs, "graphs: host functions are captured, and bring their graph on") {
  const Stream stream;
  static std::atomic<int> calls;
  calls = 0;
  Begin(stream);
  EXPECT_OK(cudaLaunchHostFunc(
      stream, [](void*) { ++calls; }, nullptr));
  const Graph graph(stream);
  EXPECT_EQUAL(calls.load(), 0);
  graph.Launch(stream);
  for (int i = 0; i < 5000 && calls == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQUAL(calls.load(), 1);
}

TEST(CaptureForksAndJoins, "graphs: a stream that waits for an event of a capture joins it") {
  Log log;
  const Stream stream, side;
  const Event fork, join;
  Begin(stream);
  Append(stream, &log, 1);
  EXPECT_OK(cudaEventRecord(fork, stream));
  EXPECT_OK(cudaStreamWaitEvent(side, fork));
  EXPECT_EQUAL(StatusOf(side), cudaStreamCaptureStatusActive);
  Append(side, &log, 2);
  EXPECT_OK(cudaEventRecord(join, side));
  EXPECT_OK(cudaStreamWaitEvent(stream, join));
  Append(stream, &log, 3);
  const Graph graph(stream);
  EXPECT_EQUAL(StatusOf(side), cudaStreamCaptureStatusNone);
  graph.Launch(stream);
  EXPECT_OK(cudaStreamSynchronize(stream));
  EXPECT(log == Log({1, 2, 3}));
  EXPECT_EQUAL(cudaEventQuery(join), cudaErrorCapturedEvent);
  EXPECT_EQUAL(cudaStreamWaitEvent(stream, join), cudaErrorCapturedEvent);
}

TEST(UnjoinedCapture, "graphs: a capture whose streams were not joined fails") {
  Log log;
  const Stream stream, side;
  const Event fork;
  Begin(stream);
  EXPECT_OK(cudaEventRecord(fork, stream));
  EXPECT_OK(cudaStreamWaitEvent(side, fork));
  Append(side, &log, 1);
  EXPECT_EQUAL(EndOf(stream), cudaErrorStreamCaptureUnjoined);
}

TEST(WaitsInCapture, "graphs: waiting for a captured stream or event is refused and spoils the capture") {
  const Stream stream;
  const Event event;
  Begin(stream);
  EXPECT_EQUAL(cudaStreamSynchronize(stream), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQUAL(StatusOf(stream), cudaStreamCaptureStatusInvalidated);
  EXPECT_EQUAL(Enqueue(stream, [] {}), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQUAL(EndOf(stream), cudaErrorStreamCaptureInvalidated);
  Begin(stream);
  EXPECT_OK(cudaEventRecord(event, stream));
  EXPECT_EQUAL(cudaEventSynchronize(event), cudaErrorCapturedEvent);
  EXPECT_EQUAL(EndOf(stream), cudaErrorStreamCaptureInvalidated);
}

TEST(UnsafeCallsInCapture, "graphs: calls that a capture would not see are refused to the thread that captures") {
  const Stream stream, other;
  const Event event;
  void* memory = nullptr;
  const std::function<cudaError_t()> calls[] = {
      [&] { return cudaMalloc(&memory, 1); },
      [&] { return cudaMallocHost(&memory, 1); },
      [&] { return cudaFree(nullptr); },
      [&] { return cudaDeviceSynchronize(); },
      [&] { return cudaStreamSynchronize(other); },
      [&] { return cudaStreamQuery(other); },
      [&] { return cudaEventQuery(event); },
      [&] { return cudaMemset(nullptr, 0, 0); },
  };
  for (const auto& call : calls) {
    Begin(stream);
    EXPECT_EQUAL(call(), cudaErrorStreamCaptureUnsupported);
    EXPECT_EQUAL(EndOf(stream), cudaErrorStreamCaptureInvalidated);
    Begin(stream, cudaStreamCaptureModeRelaxed);
    EXPECT_OK(call());
    EXPECT_OK(EndOf(stream));
  }
}

TEST(OtherThreadsInCapture, "graphs: a thread-local capture lets other threads be, a global one does not") {
  const Stream stream;
  const auto allocate_elsewhere = [](cudaStreamCaptureMode mode) {
    cudaError_t status = cudaSuccess;
    std::thread([&] {
      void* memory = nullptr;
      (void)cudaThreadExchangeStreamCaptureMode(&mode);
      status = cudaMalloc(&memory, 1);
      (void)cudaFree(memory);
    }).join();
    return status;
  };
  Begin(stream, cudaStreamCaptureModeThreadLocal);
  EXPECT_OK(allocate_elsewhere(cudaStreamCaptureModeGlobal));
  EXPECT_OK(EndOf(stream));
  Begin(stream, cudaStreamCaptureModeGlobal);
  EXPECT_OK(allocate_elsewhere(cudaStreamCaptureModeThreadLocal));
  EXPECT_EQUAL(allocate_elsewhere(cudaStreamCaptureModeGlobal), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQUAL(EndOf(stream), cudaErrorStreamCaptureInvalidated);
}

TEST(CaptureBoundaries, "graphs: what would tie a capture to something outside it is refused") {
  const Stream stream, other;
  const Event outside, inside;
  const DeviceArray<int> device(1);
  EXPECT_OK(cudaEventRecord(outside, other));
  Begin(stream);
  EXPECT_EQUAL(cudaStreamWaitEvent(stream, outside), cudaErrorStreamCaptureIsolation);
  EXPECT_EQUAL(EndOf(stream), cudaErrorStreamCaptureInvalidated);
  Begin(stream);
  int value = 0;
  EXPECT_EQUAL(cudaMemcpyAsync(device.get(), &value, 4, cudaMemcpyHostToDevice, stream),
               cudaErrorStreamCaptureUnsupported);
  EXPECT_EQUAL(EndOf(stream), cudaErrorStreamCaptureInvalidated);
  Begin(stream);
  Begin(other);
  EXPECT_OK(cudaEventRecord(inside, stream));
  EXPECT_EQUAL(cudaStreamWaitEvent(other, inside), cudaErrorStreamCaptureMerge);
  EXPECT_EQUAL(EndOf(stream), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQUAL(EndOf(other), cudaErrorStreamCaptureInvalidated);
}

TEST(DefaultStreamInCapture, "graphs: work on the default stream spoils captures of streams that it would wait for") {
  const Stream blocking(cudaStreamDefault), free_running;
  Begin(free_running);
  EXPECT_OK(Enqueue(nullptr, [] {}));
  EXPECT_OK(EndOf(free_running));
  Begin(blocking);
  EXPECT_EQUAL(Enqueue(nullptr, [] {}), cudaErrorStreamCaptureImplicit);
  EXPECT_EQUAL(EndOf(blocking), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQUAL(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeRelaxed), cudaErrorStreamCaptureUnsupported);
}

TEST(WrongEnds, "graphs: a capture ends where and on the thread where it began") {
  const Stream stream, side;
  const Event fork;
  cudaGraph_t graph = nullptr;
  EXPECT_EQUAL(cudaStreamEndCapture(stream, &graph), cudaErrorIllegalState);
  Begin(stream);
  EXPECT_EQUAL(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), cudaErrorIllegalState);
  cudaError_t elsewhere = cudaSuccess;
  std::thread([&] { elsewhere = cudaStreamEndCapture(stream, &graph); }).join();
  EXPECT_EQUAL(elsewhere, cudaErrorStreamCaptureWrongThread);
  EXPECT_OK(cudaEventRecord(fork, stream));
  EXPECT_OK(cudaStreamWaitEvent(side, fork));
  EXPECT_EQUAL(cudaStreamEndCapture(side, &graph), cudaErrorStreamCaptureUnmatched);
  EXPECT_EQUAL(EndOf(stream), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQUAL(cudaGraphLaunch(nullptr, stream), cudaErrorInvalidValue);
}

TEST(GraphsOutlived, "graphs: launches run after the graph was destroyed, and graphs can be captured into graphs") {
  Log log;
  const Stream stream, other;
  {
    Begin(stream);
    Append(stream, &log, 1);
    const Graph inner(stream);
    Begin(stream);
    inner.Launch(stream);
    Append(stream, &log, 2);
    const Graph outer(stream);
    outer.Launch(stream);
    outer.Launch(other);  // after the launch on the first stream
  }
  EXPECT_OK(cudaStreamSynchronize(other));
  EXPECT(log == Log({1, 2, 1, 2}));
}
