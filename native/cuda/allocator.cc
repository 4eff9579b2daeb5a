// Memory of one GPU: best-fit blocks, split and joined, within segments taken with cudaMalloc.
#include "cuda/allocator.h"

#include <algorithm>
#include <iterator>

#include "core/bytes.h"
#include "cuda/check.h"

namespace residua::cuda {

namespace {

constexpr size_t kAlignment = 512;
constexpr size_t kSmallLimit = size_t{1} << 20;
constexpr size_t kSmallSegment = size_t{2} << 20;
constexpr size_t kLargeSegment = size_t{20} << 20;  // for blocks of up to half of it; larger ones have their own
constexpr size_t kSegmentUnit = size_t{2} << 20;    // the GPU's page
constexpr size_t kLeastRest = size_t{1} << 20;      // a large block is not split for less

size_t RoundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

size_t SegmentFor(size_t bytes) { return bytes <= kLargeSegment / 2 ? kLargeSegment : RoundUp(bytes, kSegmentUnit); }

}  // namespace

// Has a tensor counted for as long as it lives. Keeps the allocator alive.
class TensorCount {
 public:
  TensorCount(std::shared_ptr<CachingAllocator> allocator, size_t bytes)
      : allocator_(std::move(allocator)), bytes_(bytes) {
    const std::lock_guard<std::mutex> lock(allocator_->mutex_);
    MemoryStats& stats = allocator_->stats_;
    ++stats.tensors;
    stats.bytes += bytes_;
    stats.peak_bytes = std::max(stats.peak_bytes, stats.bytes);
  }
  ~TensorCount() {
    const std::lock_guard<std::mutex> lock(allocator_->mutex_);
    --allocator_->stats_.tensors;
    allocator_->stats_.bytes -= bytes_;
  }
  TensorCount(const TensorCount&) = delete;
  TensorCount& operator=(const TensorCount&) = delete;

 private:
  std::shared_ptr<CachingAllocator> allocator_;
  size_t bytes_;
};

namespace {

class UncountedStorage : public Storage {
 public:
  UncountedStorage(const std::shared_ptr<CachingAllocator>& allocator, size_t bytes)
      : memory_(allocator, bytes), bytes_(bytes) {}
  void* data() const override { return memory_.data(); }
  size_t bytes() const override { return bytes_; }

 private:
  DeviceMemory memory_;
  size_t bytes_;
};

// A tensor's memory.
class CudaStorage : public UncountedStorage {
 public:
  CudaStorage(const std::shared_ptr<CachingAllocator>& allocator, size_t bytes)
      : UncountedStorage(allocator, bytes), count_(allocator, bytes) {}

 private:
  TensorCount count_;
};

// A tensor in memory that is there before and after it.
class LentStorage : public Storage {
 public:
  LentStorage(std::shared_ptr<CachingAllocator> allocator, std::shared_ptr<Storage> memory)
      : memory_(std::move(memory)), count_(std::move(allocator), memory_->bytes()) {}
  void* data() const override { return memory_->data(); }
  size_t bytes() const override { return memory_->bytes(); }

 private:
  std::shared_ptr<Storage> memory_;
  TensorCount count_;
};

}  // namespace

CachingAllocator::~CachingAllocator() {
  static_cast<void>(cudaSetDevice(device_));
  for (const auto& [begin, block] : blocks_) {
    if (block.begins_segment) static_cast<void>(cudaFree(begin));  // fails where the driver has gone before
  }
}

std::shared_ptr<Storage> CachingAllocator::AllocateStorage(size_t bytes) {
  return std::make_shared<CudaStorage>(shared_from_this(), bytes);
}

std::shared_ptr<Storage> CachingAllocator::AllocateUncounted(size_t bytes) {
  return std::make_shared<UncountedStorage>(shared_from_this(), bytes);
}

std::shared_ptr<Storage> CachingAllocator::Lend(std::shared_ptr<Storage> memory) {
  return std::make_shared<LentStorage>(shared_from_this(), std::move(memory));
}

void* CachingAllocator::Allocate(size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (bytes > SIZE_MAX / 2) ThrowOutOfMemory(bytes);
  const size_t rounded = RoundUp(std::max<size_t>(bytes, 1), kAlignment);
  const Pool pool = rounded <= kSmallLimit ? kSmall : kLarge;
  char* memory = Take(pool, rounded);
  if (memory == nullptr) {
    Grow(pool, rounded);
    memory = Take(pool, rounded);
  }
  return memory;
}

void CachingAllocator::Free(void* memory) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto block = blocks_.find(static_cast<char*>(memory));
  used_bytes_ -= block->second.bytes;
  if (JoinsNext(block)) block = JoinNext(block);
  if (!block->second.begins_segment) {
    const auto before = std::prev(block);
    if (before->second.is_free) {
      SetFree(before, false);
      block = JoinNext(before);
    }
  }
  SetFree(block, true);
}

// The smallest free block that holds `bytes`, or null.
char* CachingAllocator::Take(Pool pool, size_t bytes) {
  const auto fit = free_[pool].lower_bound({bytes, nullptr});
  if (fit == free_[pool].end()) return nullptr;
  const auto block = blocks_.find(fit->second);
  SetFree(block, false);
  const size_t rest = block->second.bytes - bytes;
  if (rest >= (pool == kSmall ? kAlignment : kLeastRest)) Split(block, bytes);
  used_bytes_ += block->second.bytes;
  return block->first;
}

// Cuts a block in use down to `bytes`; the rest is free.
void CachingAllocator::Split(Blocks::iterator block, size_t bytes) {
  const Block rest = {block->second.bytes - bytes, block->second.pool, false, false};
  block->second.bytes = bytes;
  SetFree(blocks_.emplace(block->first + bytes, rest).first, true);
}

bool CachingAllocator::JoinsNext(Blocks::const_iterator block) const {
  const auto next = std::next(block);
  return next != blocks_.end() && next->second.is_free && !next->second.begins_segment;
}

// Makes a block, which is in no free list, and the one after it one.
CachingAllocator::Blocks::iterator CachingAllocator::JoinNext(Blocks::iterator block) {
  const auto next = std::next(block);
  if (next->second.is_free) SetFree(next, false);
  block->second.bytes += next->second.bytes;
  blocks_.erase(next);
  return block;
}

void CachingAllocator::SetFree(Blocks::iterator block, bool is_free) {
  block->second.is_free = is_free;
  const std::pair<size_t, char*> entry = {block->second.bytes, block->first};
  if (is_free)
    free_[block->second.pool].insert(entry);
  else
    free_[block->second.pool].erase(entry);
}

// Takes a segment that holds `bytes`; where there is no room, idle segments go back first, then a smaller one must do.
void CachingAllocator::Grow(Pool pool, size_t bytes) {
  RESIDUA_CUDA(cudaSetDevice(device_));
  const size_t usual = pool == kSmall ? kSmallSegment : SegmentFor(bytes);
  if (AddSegment(pool, usual)) return;
  ReleaseIdleSegments();
  if (AddSegment(pool, usual)) return;
  if (bytes < usual && AddSegment(pool, RoundUp(bytes, kAlignment))) return;
  ThrowOutOfMemory(bytes);
}

// False where the limit or the GPU does not allow it.
bool CachingAllocator::AddSegment(Pool pool, size_t bytes) {
  if (limit_ != 0 && (bytes > limit_ || reserved_bytes_ > limit_ - bytes)) return false;
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, bytes);
  if (status == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());  // it would show again at the next launch
    return false;
  }
  Check(status, "cudaMalloc", __FILE__, __LINE__);
  reserved_bytes_ += bytes;
  SetFree(blocks_.emplace(static_cast<char*>(memory), Block{bytes, pool, false, true}).first, true);
  return true;
}

// Gives back the segments that are one free block. Work under way may still use them: it is waited for.
void CachingAllocator::ReleaseIdleSegments() {
  RESIDUA_CUDA(cudaDeviceSynchronize());
  for (auto block = blocks_.begin(); block != blocks_.end();) {
    const auto next = std::next(block);
    const bool is_whole_segment =
        block->second.begins_segment && (next == blocks_.end() || next->second.begins_segment);
    if (block->second.is_free && is_whole_segment) {
      RESIDUA_CUDA(cudaFree(block->first));
      reserved_bytes_ -= block->second.bytes;
      SetFree(block, false);
      blocks_.erase(block);
    }
    block = next;
  }
}

void CachingAllocator::Trim() {
  const std::lock_guard<std::mutex> lock(mutex_);
  RESIDUA_CUDA(cudaSetDevice(device_));
  ReleaseIdleSegments();
}

void CachingAllocator::ThrowOutOfMemory(size_t bytes) const {
  size_t device_free = 0, device_total = 0;
  if (cudaMemGetInfo(&device_free, &device_total) != cudaSuccess) static_cast<void>(cudaGetLastError());
  const size_t cached = reserved_bytes_ - used_bytes_;
  if (limit_ != 0) device_free = std::min(device_free, limit_ - std::min(limit_, reserved_bytes_));
  const std::string limit =
      limit_ == 0 ? "" : " RESIDUA_GPU_MEMORY_LIMIT allows " + FormatBytes(limit_) + "; a higher one may help.";
  throw Error(ErrorCode::kOutOfMemory,
              "Out of memory on gpu(" + std::to_string(device_) + "): " + FormatBytes(bytes) + " asked for, " +
                  FormatBytes(device_free) + " free and " + FormatBytes(cached) + " in pieces between tensors, " +
                  FormatBytes(stats_.bytes) + " in use by tensors, of " + FormatBytes(device_total) +
                  ". A smaller batch, smaller images or bfloat16 need less." + limit,
              {{"bytesAsked", std::to_string(bytes)}, {"bytesFree", std::to_string(device_free + cached)}});
}

MemoryStats CachingAllocator::Stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  MemoryStats stats = stats_;
  stats.reserved_bytes = reserved_bytes_;
  return stats;
}

}  // namespace residua::cuda
