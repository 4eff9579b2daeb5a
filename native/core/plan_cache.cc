// A bounded cache of plans.
#include "core/plan_cache.h"

#include <cstdio>
#include <cstdlib>

namespace residua {

namespace {

constexpr size_t kDefaultCapacity = 1024;
constexpr size_t kLargestCapacity = 1 << 24;
constexpr size_t kThrashingLookups = 4;  // lookups for each plan made, and fewer: the cache does not help any more

}  // namespace

std::shared_ptr<Plan> PlanCache::Find(const std::string& key) {
  ++turn_lookups_;
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    ++counters_.misses;
    return nullptr;
  }
  ++counters_.hits;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->plan;
}

void PlanCache::Insert(const std::string& key, std::shared_ptr<Plan> plan) {
  if (entries_.size() == capacity_) EvictOldest();
  entries_.push_front({key, std::move(plan)});
  by_key_.emplace(entries_.front().key, entries_.begin());
}

void PlanCache::EvictOldest() {
  by_key_.erase(entries_.back().key);
  entries_.pop_back();
  ++counters_.evictions;
  if (++turn_evictions_ < capacity_) return;
  if (!warned_ && turn_lookups_ < kThrashingLookups * capacity_) {
    warned_ = true;
    std::fprintf(stderr,
                 "residua: the plan cache of %s thrashes: its %zu plans were all replaced within %zu ops. Use fewer "
                 "different shapes, or set RESIDUA_PLAN_CACHE to more than %zu.\n",
                 owner_.c_str(), capacity_, turn_lookups_, capacity_);
  }
  turn_evictions_ = 0;
  turn_lookups_ = 0;
}

PlanCache::Counters PlanCache::counters() const {
  Counters counters = counters_;
  counters.plans = entries_.size();
  return counters;
}

size_t PlanCache::CapacityFromEnvironment() {
  const char* text = std::getenv("RESIDUA_PLAN_CACHE");
  if (text == nullptr || *text == '\0') return kDefaultCapacity;
  char* end = nullptr;
  const long long capacity = std::strtoll(text, &end, 10);
  if (*end != '\0' || capacity < 1 || capacity > static_cast<long long>(kLargestCapacity)) {
    throw Error(ErrorCode::kConfig,
                "RESIDUA_PLAN_CACHE expected a number of plans from 1 to " + std::to_string(kLargestCapacity) +
                    ", got '" + text + "'.",
                {{"argument", "RESIDUA_PLAN_CACHE"}, {"found", text}});
  }
  return static_cast<size_t>(capacity);
}

}  // namespace residua
