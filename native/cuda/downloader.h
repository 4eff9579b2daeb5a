// Copies from the GPU to the host, waited for on a thread of its own: the thread that asks goes on.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "core/backend.h"
#include "cuda/allocator.h"
#include "cuda/failure.h"
#include "cuda/faults.h"
#include "cuda/owned.h"

namespace residua::cuda {

struct DownloadJob {
  TensorDesc desc;                     // plain
  std::shared_ptr<const Error> error;  // known already: there is nothing to copy
  std::unique_ptr<uint8_t[]> values;   // copied already, where there was no memory for a snapshot
  DeviceMemory snapshot;               // the values at the moment of asking
  std::unique_ptr<Event> is_taken;     // after it the snapshot is complete
  FaultList faults;                    // what the values depend on
  std::function<void(Download)> done;
};

class Downloader {
 public:
  Downloader(int device, FaultLog* faults, PendingError* pending, DeviceHealth* health);
  // Finishes what has been asked for.
  ~Downloader();

  void Enqueue(DownloadJob job);
  // Waits until every job's `done` has returned.
  void WaitForAll();

 private:
  static constexpr size_t kPiece = size_t{4} << 20;

  void Work();
  Download Finish(DownloadJob* job);
  std::unique_ptr<uint8_t[]> CopyToHost(const DownloadJob& job);

  const int device_;
  FaultLog* faults_;
  PendingError* pending_;
  DeviceHealth* health_;
  Stream stream_;

  // Of the thread: two pieces, so that one is emptied while the GPU fills the other.
  struct Piece {
    PinnedMemory memory{kPiece};
    Event is_filled;
  };
  std::unique_ptr<Piece> pieces_[2];

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<DownloadJob> jobs_;
  bool is_busy_ = false;
  bool is_closing_ = false;
  std::thread thread_;
};

}  // namespace residua::cuda
