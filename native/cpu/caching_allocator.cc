// Memory of the CPU backend: one reserved range of addresses, made usable from the bottom up in huge pages.
#include "cpu/caching_allocator.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "cpu/system_memory.h"

namespace residua::cpu {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kGrowth = size_t{32} << 20;  // reserved at once; pages that nobody touches cost nothing
constexpr size_t kSmallLimit = size_t{256} << 10;
constexpr size_t kSmallChunk = size_t{2} << 20;

size_t RoundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

char* RoundUp(char* address, size_t unit) {
  return reinterpret_cast<char*>(RoundUp(reinterpret_cast<size_t>(address), unit));
}

// The whole pages within [begin, begin + bytes).
std::pair<char*, size_t> WholePages(char* begin, size_t bytes) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  char* first = RoundUp(begin, page);
  char* last = reinterpret_cast<char*>(reinterpret_cast<size_t>(begin + bytes) / page * page);
  return {first, last > first ? static_cast<size_t>(last - first) : 0};
}

// How much of [begin, begin + bytes) has memory behind it, in whole pages.
size_t ResidentBytes(char* begin, size_t bytes) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const auto [first, length] = WholePages(begin, bytes);
  if (length == 0) return 0;
  std::vector<unsigned char> pages(length / page);
  if (mincore(first, length, pages.data()) != 0) return 0;
  return page * static_cast<size_t>(std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return p & 1; }));
}

// What is left to the rest of the system and of this process.
size_t Margin(size_t total) { return std::min(size_t{128} << 20, total / 50); }

}  // namespace

// A tensor's memory. Keeps the allocator alive.
class CpuStorage : public Storage {
 public:
  CpuStorage(std::shared_ptr<CachingAllocator> allocator, size_t bytes)
      : allocator_(std::move(allocator)), bytes_(bytes), data_(allocator_->Allocate(bytes)) {
    MemoryStats& stats = allocator_->stats_;
    ++stats.tensors;
    stats.bytes += bytes_;
    stats.peak_bytes = std::max(stats.peak_bytes, stats.bytes);
  }
  ~CpuStorage() override {
    --allocator_->stats_.tensors;
    allocator_->stats_.bytes -= bytes_;
    allocator_->Free(data_);
  }
  void* data() const override { return data_; }
  size_t bytes() const override { return bytes_; }

 private:
  std::shared_ptr<CachingAllocator> allocator_;
  size_t bytes_;
  void* data_;
};

CachingAllocator::CachingAllocator(std::function<void()> wait_for_work) : wait_for_work_(std::move(wait_for_work)) {
  // Twice the memory there is leaves room for holes. A limit on addresses (ulimit -v) may allow less.
  for (size_t bytes = RoundUp(2 * SystemMemory().total, kHugePage); bytes >= 2 * kGrowth; bytes /= 2) {
    void* memory = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) continue;
    reservation_ = static_cast<char*>(memory);
    reservation_bytes_ = bytes;
    break;
  }
  if (!reservation_)
    throw Error(ErrorCode::kOutOfMemory,
                "No address space is left for tensors. A higher limit (ulimit -v) would help.");
  base_ = top_ = RoundUp(reservation_, kHugePage);
  end_ = reservation_ + reservation_bytes_;
}

CachingAllocator::~CachingAllocator() { munmap(reservation_, reservation_bytes_); }

std::shared_ptr<Storage> CachingAllocator::AllocateStorage(size_t bytes) {
  return std::make_shared<CpuStorage>(shared_from_this(), bytes);
}

void* CachingAllocator::Allocate(size_t bytes) {
  if (bytes > static_cast<size_t>(end_ - base_)) ThrowOutOfMemory(bytes, AvailableBytes());
  if (bytes > kSmallLimit) return Take(bytes);
  bytes = std::max<size_t>(bytes, 1);
  char* memory = small_.Take(bytes);
  if (!memory) {
    small_.Add(Take(kSmallChunk), kSmallChunk);
    memory = small_.Take(bytes);
  }
  return memory;
}

void CachingAllocator::Free(void* memory) {
  char* begin = static_cast<char*>(memory);
  // A chunk of small_ begins where its first block may: ask small_ first.
  if (!small_.Give(begin)) large_.Give(begin);
}

// From the large pool, which grows where nothing fits. Asks the system first, unless the memory is there already.
char* CachingAllocator::Take(size_t bytes) {
  if (returned_bytes_ == 0) {
    if (char* memory = large_.Take(bytes)) return memory;
  }
  EnsureRoomFor(bytes);
  returned_bytes_ -= std::min(returned_bytes_, bytes);
  if (char* memory = large_.Take(bytes)) return memory;
  Grow(bytes);
  return large_.Take(bytes);
}

// Throws where the system has no memory for `bytes`, even when it has got back what lies idle here.
void CachingAllocator::EnsureRoomFor(size_t bytes) {
  if (bytes <= AvailableBytes()) return;
  Trim();
  const size_t available = AvailableBytes();
  if (bytes > available) ThrowOutOfMemory(bytes, available);
}

// Makes more of the reservation usable, so that `bytes` fit at its top.
void CachingAllocator::Grow(size_t bytes) {
  const size_t missing = large_.RoundUp(bytes) - std::min(large_.RoundUp(bytes), large_.FreeBefore(top_));
  size_t growth = RoundUp(missing, kGrowth);
  if (growth > static_cast<size_t>(end_ - top_)) growth = RoundUp(missing, kHugePage);
  if (growth > static_cast<size_t>(end_ - top_) || mprotect(top_, growth, PROT_READ | PROT_WRITE) != 0) {
    ThrowOutOfMemory(bytes, AvailableBytes());
  }
  madvise(top_, growth, MADV_HUGEPAGE);  // fewer page faults, where the system has huge pages
  large_.Add(top_, growth);
  top_ += growth;
}

// What the system has beside what is promised to live tensors but not touched yet.
size_t CachingAllocator::AvailableBytes() const {
  size_t promised = 0;
  large_.ForEach([&](char* begin, size_t size, bool is_free) {
    if (!is_free) promised += size - std::min(size, ResidentBytes(begin, size));
  });
  const MemoryInfo memory = SystemMemory();
  return memory.available - std::min(memory.available, promised + Margin(memory.total));
}

void CachingAllocator::ThrowOutOfMemory(size_t bytes, size_t available) const {
  throw Error(ErrorCode::kOutOfMemory,
              "Out of memory: " + FormatBytes(bytes) + " asked for, " + FormatBytes(available) + " free, " +
                  FormatBytes(stats_.bytes) + " in use by tensors. A smaller batch or smaller images need less.",
              {{"bytesAsked", std::to_string(bytes)}, {"bytesFree", std::to_string(available)}});
}

void CachingAllocator::Trim() {
  if (wait_for_work_) wait_for_work_();
  returned_bytes_ = 0;
  for (const BlockPool* pool : {&large_, &small_}) {
    pool->ForEach([&](char* begin, size_t bytes, bool is_free) {
      const auto [first, length] = WholePages(begin, bytes);
      if (is_free && length > 0 && madvise(first, length, MADV_DONTNEED) == 0) returned_bytes_ += length;
    });
  }
}

MemoryStats CachingAllocator::Stats() const {
  MemoryStats stats = stats_;
  stats.reserved_bytes = large_.used_bytes();
  large_.ForEach([&](char* begin, size_t bytes, bool is_free) {
    if (is_free) stats.reserved_bytes += ResidentBytes(begin, bytes);
  });
  return stats;
}

}  // namespace residua::cpu
