// The state behind streams, events and graphs, and how queued work is run. One lock guards all of it; work itself runs
// without the lock, one piece a stream at a time, on whichever thread needs it done.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "cuda_emulation/streams.h"

namespace residua::cuda_emulation {

struct Capture;

// A point in a stream: reached when `position` tasks of it are finished.
struct Record {
  std::shared_ptr<CUstream_st> stream;
  uint64_t position = 0;
  std::chrono::steady_clock::time_point time;  // when it was reached
  bool asked = false;                          // by cudaEventQuery
};

// One of three: a piece of work, a wait, or the noting of a time.
struct Task {
  std::shared_ptr<const Work> work;
  bool is_host_function = false;  // work for the thread of host functions
  std::shared_ptr<Record> wait_for;
  std::shared_ptr<Record> reaches;
};

}  // namespace residua::cuda_emulation

struct CUstream_st {
  unsigned flags = 0;
  int priority = 0;
  std::deque<residua::cuda_emulation::Task> tasks;
  uint64_t enqueued = 0, finished = 0;  // tasks so far
  bool is_running = false;              // some thread runs the task before tasks.front()
  uint64_t asked = 0;                   // `enqueued` when cudaStreamQuery last asked
  std::shared_ptr<residua::cuda_emulation::Capture> capture;
  std::vector<size_t> frontier;  // while captured: nodes that the next one comes after
};

struct CUevent_st {
  unsigned flags = 0;
  std::shared_ptr<residua::cuda_emulation::Record> record;    // null: never recorded, or last in a capture
  std::shared_ptr<residua::cuda_emulation::Capture> capture;  // in which it was last recorded
  std::vector<size_t> frontier;
};

struct CUgraphNode_st {
  residua::cuda_emulation::Task task;
  std::vector<size_t> needs;  // nodes, by their place in the graph
};

struct CUgraph_st {
  std::vector<std::shared_ptr<CUgraphNode_st>> nodes;  // in the order of the calls: each after those that it needs
};

struct CUgraphExec_st {
  std::vector<std::shared_ptr<CUgraphNode_st>> nodes;
  std::shared_ptr<residua::cuda_emulation::Record> last_launch;  // launches of one graph never overlap
};

namespace residua::cuda_emulation {

struct Capture {
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id thread;
  CUstream_st* origin = nullptr;
  std::vector<CUstream_st*> streams;  // that take part, the origin among them
  std::vector<std::shared_ptr<CUgraphNode_st>> nodes;
  bool is_invalid = false;
  bool has_ended = false;
};

using Lock = std::unique_lock<std::mutex>;

struct Runtime {
  std::mutex mutex;
  std::condition_variable changed;  // a task is finished
  std::shared_ptr<CUstream_st> default_stream = std::make_shared<CUstream_st>();
  std::map<const CUstream_st*, std::shared_ptr<CUstream_st>> streams;  // live handles
  std::vector<std::shared_ptr<CUstream_st>> destroyed_streams;         // that still have work
  std::set<const CUevent_st*> events;
  std::set<const CUgraph_st*> graphs;
  std::set<const CUgraphExec_st*> graph_execs;
  std::set<std::shared_ptr<Capture>> captures;  // that have not ended

  static Runtime& Get();
};

// ---- under the lock

// The stream of a handle; null if there is none.
std::shared_ptr<CUstream_st> FindStream(const Runtime& runtime, cudaStream_t handle);
// The point behind all that is queued now.
std::shared_ptr<Record> TailOf(const std::shared_ptr<CUstream_st>& stream);
bool IsReached(const Record& record);
// Puts a task at the stream's end; or, if it is captured, into the graph.
cudaError_t Append(Runtime* runtime, const std::shared_ptr<CUstream_st>& stream, Task task);
void Invalidate(Capture* capture);

// Runs the stream's tasks until the point is reached. Gives the lock away while work runs.
void RunUntil(Runtime* runtime, Lock* lock, const Record& record);
void RunEverything(Runtime* runtime, Lock* lock);

// ---- host functions (host_functions.cc)

// Runs a host function on the thread for them and waits, without the lock.
void RunHostFunction(const Work& work);
// Has a thread of its own run the stream up to the point: nobody may be waiting for a host function.
void BringOn(const std::shared_ptr<Record>& record);

}  // namespace residua::cuda_emulation
