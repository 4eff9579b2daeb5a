// Streams, events and host functions of the emulated run-time.
#include <atomic>
#include <chrono>
#include <thread>

#include "cuda_emulation/errors.h"
#include "cuda_emulation/streams.h"
#include "cuda_emulation/test_checks.h"

using namespace residua::cuda_emulation;

namespace {

using Log = std::vector<int>;

void Append(cudaStream_t stream, Log* log, int value) {
  EXPECT_OK(Enqueue(stream, [=] { log->push_back(value); }));
}

// Whether it comes true within some seconds.
bool Soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 5000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return condition();
}

}  // namespace

TEST(NothingRunsUnasked, "streams: work runs in order, and only when somebody waits") {
  Log log;
  const Stream stream;
  Append(stream, &log, 1);
  Append(stream, &log, 2);
  EXPECT(log.empty());
  EXPECT_OK(cudaStreamSynchronize(stream));
  EXPECT(log == Log({1, 2}));
}

TEST(StreamsAreIndependent, "streams: waiting for one does not run another") {
  Log log;
  const Stream stream, other;
  Append(stream, &log, 1);
  Append(other, &log, 2);
  EXPECT_OK(cudaStreamSynchronize(other));
  EXPECT(log == Log({2}));
  EXPECT_OK(cudaDeviceSynchronize());
  EXPECT(log == Log({2, 1}));
}

TEST(WaitsOrderStreams, "events: cudaStreamWaitEvent orders streams, up to where the event was recorded") {
  Log log;
  const Stream stream, other;
  const Event event;
  Append(stream, &log, 1);
  EXPECT_OK(cudaEventRecord(event, stream));
  Append(stream, &log, 2);
  EXPECT_OK(cudaStreamWaitEvent(other, event));
  Append(other, &log, 3);
  EXPECT_OK(cudaStreamSynchronize(other));
  EXPECT(log == Log({1, 3}));
}

TEST(WaitsKeepTheirPoint,
     "events: a wait holds the point of the time when it was queued, even if the event moves on or goes") {
  Log log;
  const Stream stream, other;
  {
    const Event event;
    EXPECT_OK(cudaStreamWaitEvent(other, event));  // never recorded: nothing to wait for
    Append(stream, &log, 1);
    EXPECT_OK(cudaEventRecord(event, stream));
    EXPECT_OK(cudaStreamWaitEvent(other, event));
    Append(stream, &log, 2);
    EXPECT_OK(cudaEventRecord(event, stream));
  }
  Append(other, &log, 3);
  EXPECT_OK(cudaStreamSynchronize(other));
  EXPECT(log == Log({1, 3}));
}

TEST(EventSynchronize, "events: cudaEventSynchronize runs the stream up to the event") {
  Log log;
  const Stream stream;
  const Event event;
  EXPECT_OK(cudaEventSynchronize(event));
  Append(stream, &log, 1);
  EXPECT_OK(cudaEventRecord(event, stream));
  Append(stream, &log, 2);
  EXPECT_OK(cudaEventSynchronize(event));
  EXPECT(log == Log({1}));
}

TEST(EventQuery, "events: cudaEventQuery first says not ready, then makes progress") {
  Log log;
  const Stream stream;
  const Event event;
  EXPECT_OK(cudaEventQuery(event));
  Append(stream, &log, 1);
  EXPECT_OK(cudaEventRecord(event, stream));
  EXPECT_EQUAL(cudaEventQuery(event), cudaErrorNotReady);
  EXPECT(log.empty());
  EXPECT_EQUAL(cudaGetLastError(), cudaErrorNotReady);  // as CUDA keeps it
  EXPECT_OK(cudaEventQuery(event));
  EXPECT(log == Log({1}));
}

TEST(StreamQuery, "streams: cudaStreamQuery first says not ready, then makes progress") {
  Log log;
  const Stream stream;
  EXPECT_OK(cudaStreamQuery(stream));
  Append(stream, &log, 1);
  EXPECT_EQUAL(cudaStreamQuery(stream), cudaErrorNotReady);
  Append(stream, &log, 2);
  EXPECT_EQUAL(cudaStreamQuery(stream), cudaErrorNotReady);
  EXPECT_OK(cudaStreamQuery(stream));
  EXPECT(log == Log({1, 2}));
}

TEST(ElapsedTime, "events: the time between two events is that of the work between them") {
  const Stream stream;
  const Event start(cudaEventDefault), end(cudaEventDefault), untimed;
  float ms = -1;
  EXPECT_EQUAL(cudaEventElapsedTime(&ms, start, end), cudaErrorInvalidResourceHandle);
  EXPECT_OK(cudaEventRecord(start, stream));
  EXPECT_OK(Enqueue(stream, [] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }));
  EXPECT_OK(cudaEventRecord(end, stream));
  EXPECT_OK(cudaEventRecord(untimed, stream));
  EXPECT_EQUAL(cudaEventElapsedTime(&ms, start, end), cudaErrorNotReady);
  EXPECT_OK(cudaStreamSynchronize(stream));
  EXPECT_OK(cudaEventElapsedTime(&ms, start, end));
  EXPECT(ms >= 5);
  EXPECT_EQUAL(cudaEventElapsedTime(&ms, start, untimed), cudaErrorInvalidResourceHandle);
}

TEST(DestroyedStreams, "streams: what was queued in a destroyed stream still runs; its handle is refused") {
  Log log;
  cudaStream_t stream = nullptr;
  EXPECT_OK(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, -100));
  int priority = 0;
  EXPECT_OK(cudaStreamGetPriority(stream, &priority));
  EXPECT_EQUAL(priority, -5);
  Append(stream, &log, 1);
  EXPECT_OK(cudaStreamDestroy(stream));
  EXPECT_EQUAL(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQUAL(cudaStreamDestroy(stream), cudaErrorInvalidResourceHandle);
  EXPECT(log.empty());
  EXPECT_OK(cudaDeviceSynchronize());
  EXPECT(log == Log({1}));
}

TEST(DefaultStream, "streams: the default stream waits for streams that are not non-blocking, and they for it") {
  Log log;
  const Stream blocking(cudaStreamDefault), free_running;
  Append(free_running, &log, 1);
  Append(blocking, &log, 2);
  Append(nullptr, &log, 3);
  Append(blocking, &log, 4);
  EXPECT_OK(cudaStreamSynchronize(blocking));
  EXPECT(log == Log({2, 3, 4}));
}

TEST(HostFunctionsBringOn, "host functions: run without anybody waiting, on a thread of their own") {
  Log log;
  const Stream stream;
  struct Seen {
    std::atomic<bool> done{false};
    std::thread::id thread;
    size_t before = 0;
    Log* log = nullptr;
  } seen;
  seen.log = &log;
  Append(stream, &log, 1);
  EXPECT_OK(cudaLaunchHostFunc(
      stream,
      [](void* user) {
        auto* seen = static_cast<Seen*>(user);
        seen->before = seen->log->size();
        seen->thread = std::this_thread::get_id();
        seen->done = true;
      },
      &seen));
  EXPECT(Soon([&] { return seen.done.load(); }));
  EXPECT_EQUAL(seen.before, 1u);
  EXPECT(seen.thread != std::this_thread::get_id());
}

TEST(HostFunctionsMayNotCall, "host functions: calls of CUDA in one are refused") {
  const Stream stream;
  cudaError_t status = cudaSuccess;
  EXPECT_OK(cudaLaunchHostFunc(
      stream,
      [](void* user) {
        void* memory = nullptr;
        *static_cast<cudaError_t*>(user) = cudaMalloc(&memory, 1);
      },
      &status));
  EXPECT_OK(cudaStreamSynchronize(stream));
  EXPECT_EQUAL(status, cudaErrorNotPermitted);
}

TEST(LostDeviceDropsWork, "streams: a lost device drops queued work and host functions") {
  cudaStream_t stream = nullptr;
  EXPECT_OK(cudaStreamCreate(&stream));
  static bool ran = false;
  EXPECT_OK(Enqueue(stream, [] { LoseDevice(cudaErrorIllegalAddress, "a test"); }));
  EXPECT_OK(Enqueue(stream, [] { ran = true; }));
  EXPECT_OK(cudaLaunchHostFunc(
      stream, [](void*) { ran = true; }, nullptr));
  EXPECT_EQUAL(cudaStreamSynchronize(stream), cudaErrorIllegalAddress);
  RunAllStreams();  // another thread may still be at it, because of the host function
  EXPECT(!ran);
  EXPECT_EQUAL(cudaGetLastError(), cudaErrorIllegalAddress);
  EXPECT_EQUAL(cudaGetLastError(), cudaErrorIllegalAddress);  // for good
}

TEST(ManyThreads, "streams: many threads, each with streams of its own, that wait for one another") {
  constexpr int kThreads = 4, kRounds = 200;
  const Stream shared;
  std::vector<std::thread> threads;
  std::vector<int> counts(kThreads);
  std::atomic<int> total{0}, failures{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const Stream stream;
      const Event event, shared_event;
      for (int round = 0; round < kRounds; ++round) {
        bool fine = Enqueue(stream, [&, t] { ++counts[t]; }) == cudaSuccess;
        fine &= cudaEventRecord(event, stream) == cudaSuccess;
        fine &= cudaStreamWaitEvent(shared, event) == cudaSuccess;
        fine &= Enqueue(shared, [&] { ++total; }) == cudaSuccess;
        fine &= cudaEventRecord(shared_event, shared) == cudaSuccess;
        fine &= cudaStreamWaitEvent(stream, shared_event) == cudaSuccess;
        if (round % 10 == t) fine &= cudaStreamSynchronize(stream) == cudaSuccess;
        failures += !fine;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_OK(cudaDeviceSynchronize());
  EXPECT_EQUAL(failures.load(), 0);
  EXPECT_EQUAL(total.load(), kThreads * kRounds);
  for (int count : counts) EXPECT_EQUAL(count, kRounds);
}
