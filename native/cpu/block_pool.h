// Best-fit allocation from ranges of addresses, with splitting and coalescing. It never touches the memory.
#pragma once
#include <cstddef>
#include <map>
#include <set>
#include <utility>

namespace residua::cpu {

class BlockPool {
 public:
  // Sizes are rounded up to a multiple of `granularity`.
  explicit BlockPool(size_t granularity) : granularity_(granularity) {}

  // Adds memory; it joins with a free neighbour.
  void Add(char* begin, size_t bytes);
  // The smallest free block that holds `bytes`, or null. Its rest stays free.
  char* Take(size_t bytes);
  // False where `begin` is none of this pool's blocks.
  bool Give(char* begin);

  size_t RoundUp(size_t bytes) const { return (bytes + granularity_ - 1) / granularity_ * granularity_; }
  size_t used_bytes() const { return used_bytes_; }
  // Size of the free block that ends at `end`; 0 where the memory before `end` is in use.
  size_t FreeBefore(char* end) const;

  // f(begin, bytes, is_free) for each block, in order of address.
  template <class F>
  void ForEach(const F& f) const {
    for (const auto& [begin, block] : blocks_) f(begin, block.bytes, block.is_free);
  }

 private:
  struct Block {
    size_t bytes;
    bool is_free;
  };
  using Blocks = std::map<char*, Block>;
  void InsertFree(char* begin, size_t bytes);

  size_t granularity_;
  size_t used_bytes_ = 0;
  Blocks blocks_;
  std::set<std::pair<size_t, char*>> free_;  // by size, then address
};

}  // namespace residua::cpu
