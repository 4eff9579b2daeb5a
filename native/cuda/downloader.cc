// Copies from the GPU to the host, on a thread of its own.
#include "cuda/downloader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace residua::cuda {

namespace {

const Op kCopyOp = {OpKind::kCopy, NoParams{}};

}  // namespace

Downloader::Downloader(int device, FaultLog* faults, PendingError* pending, DeviceHealth* health)
    : device_(device), faults_(faults), pending_(pending), health_(health), stream_(MakeStream()) {
  thread_ = std::thread([this] { Work(); });
}

Downloader::~Downloader() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Downloader::Enqueue(DownloadJob job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
}

void Downloader::WaitForAll() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return jobs_.empty() && !is_busy_; });
}

void Downloader::Work() {
  static_cast<void>(cudaSetDevice(device_));  // calls that need it fail otherwise, and say so
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !jobs_.empty() || is_closing_; });
    if (jobs_.empty()) return;
    DownloadJob job = std::move(jobs_.front());
    jobs_.pop_front();
    is_busy_ = true;
    lock.unlock();
    Download download = Finish(&job);
    job.done(std::move(download));
    job = {};
    lock.lock();
    is_busy_ = false;
    changed_.notify_all();
  }
}

Download Downloader::Finish(DownloadJob* job) {
  Download download;
  try {
    if (!job->error && !job->values) job->values = CopyToHost(*job);
    if (!job->error) job->error = faults_->Resolve(job->faults);
    if (!job->error) {
      download.bytes = std::move(job->values);
      download.size = job->desc.bytes;
    }
  } catch (...) {
    job->error = CurrentFailure(kCopyOp, {job->desc});
    static_cast<void>(cudaStreamSynchronize(stream_.get()));  // a copy under way still reads the snapshot
    health_->Note(*job->error);
  }
  job->snapshot = {};  // whoever asked finds it freed
  download.error = job->error;
  pending_->MarkTold(download.error);
  return download;
}

std::unique_ptr<uint8_t[]> Downloader::CopyToHost(const DownloadJob& job) {
  const size_t bytes = job.desc.bytes;
  std::unique_ptr<uint8_t[]> values(new uint8_t[bytes]);
  job.is_taken->MakeWait(stream_.get());
  const auto length_at = [&](size_t offset) { return std::min(kPiece, bytes - offset); };
  const auto piece_at = [&](size_t offset) -> Piece& {
    std::unique_ptr<Piece>& piece = pieces_[offset / kPiece % 2];
    if (!piece) piece = std::make_unique<Piece>();
    return *piece;
  };
  const auto fill = [&](size_t offset) {
    if (offset >= bytes) return;
    Piece& piece = piece_at(offset);
    RESIDUA_CUDA(cudaMemcpyAsync(piece.memory.data(), job.snapshot.data() + offset, length_at(offset),
                                 cudaMemcpyDeviceToHost, stream_.get()));
    piece.is_filled.Record(stream_.get());
  };
  fill(0);
  for (size_t offset = 0; offset < bytes; offset += kPiece) {
    fill(offset + kPiece);
    const Piece& piece = piece_at(offset);
    piece.is_filled.Wait();
    std::memcpy(values.get() + offset, piece.memory.data(), length_at(offset));
  }
  return values;
}

}  // namespace residua::cuda
