// A bounded cache of plans: the least recently used goes first. One thread.
#pragma once
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/backend.h"

namespace residua {

class PlanCache {
 public:
  struct Counters {
    size_t plans = 0;
    size_t hits = 0;
    size_t misses = 0;
    size_t evictions = 0;
  };

  // `owner` names the backend in the warning about thrashing.
  PlanCache(std::string owner, size_t capacity) : owner_(std::move(owner)), capacity_(capacity) {}

  // Null when there is none.
  std::shared_ptr<Plan> Find(const std::string& key);
  void Insert(const std::string& key, std::shared_ptr<Plan> plan);

  size_t capacity() const { return capacity_; }
  Counters counters() const;

  // RESIDUA_PLAN_CACHE, or 1024: several networks at several batch sizes. Throws Error(kConfig).
  static size_t CapacityFromEnvironment();

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<Plan> plan;
  };
  void EvictOldest();

  std::string owner_;
  size_t capacity_;
  std::list<Entry> entries_;                                                 // the latest used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;  // views of the entries' keys
  Counters counters_;
  // Thrashing: the whole cache was replaced within a few times as many lookups.
  size_t turn_evictions_ = 0;
  size_t turn_lookups_ = 0;
  bool warned_ = false;
};

}  // namespace residua
