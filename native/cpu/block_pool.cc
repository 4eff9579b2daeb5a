// Best-fit allocation from ranges of addresses, with splitting and coalescing.
#include "cpu/block_pool.h"

#include <iterator>

namespace residua::cpu {

void BlockPool::Add(char* begin, size_t bytes) { InsertFree(begin, bytes); }

char* BlockPool::Take(size_t bytes) {
  bytes = RoundUp(bytes);
  const auto fit = free_.lower_bound({bytes, nullptr});
  if (fit == free_.end()) return nullptr;
  const auto [size, begin] = *fit;
  free_.erase(fit);
  blocks_[begin] = {bytes, false};
  if (size > bytes) {
    blocks_[begin + bytes] = {size - bytes, true};
    free_.insert({size - bytes, begin + bytes});
  }
  used_bytes_ += bytes;
  return begin;
}

bool BlockPool::Give(char* begin) {
  const auto found = blocks_.find(begin);
  if (found == blocks_.end() || found->second.is_free) return false;
  const size_t bytes = found->second.bytes;
  used_bytes_ -= bytes;
  blocks_.erase(found);
  InsertFree(begin, bytes);
  return true;
}

size_t BlockPool::FreeBefore(char* end) const {
  const auto after = blocks_.lower_bound(end);
  if (after == blocks_.begin()) return 0;
  const auto& [begin, block] = *std::prev(after);
  return block.is_free && begin + block.bytes == end ? block.bytes : 0;
}

// Inserts a free block, joined with free neighbours.
void BlockPool::InsertFree(char* begin, size_t bytes) {
  const auto after = blocks_.lower_bound(begin);
  if (after != blocks_.end() && after->second.is_free && begin + bytes == after->first) {
    bytes += after->second.bytes;
    free_.erase({after->second.bytes, after->first});
    blocks_.erase(after);
  }
  if (const size_t before = FreeBefore(begin)) {
    begin -= before;
    bytes += before;
    free_.erase({before, begin});
    blocks_.erase(begin);
  }
  blocks_[begin] = {bytes, true};
  free_.insert({bytes, begin});
}

}  // namespace residua::cpu
