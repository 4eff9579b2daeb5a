// How many cores this process may use: CPU affinity and cgroup quota.
#include "core/cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace residua {

namespace {

constexpr int kMaxCpus = 8192;

int CoresOfAffinity() {
  cpu_set_t* set = CPU_ALLOC(kMaxCpus);
  if (set == nullptr) return static_cast<int>(std::thread::hardware_concurrency());
  const size_t bytes = CPU_ALLOC_SIZE(kMaxCpus);
  const bool known = sched_getaffinity(0, bytes, set) == 0;
  const int count = known ? CPU_COUNT_S(bytes, set) : static_cast<int>(std::thread::hardware_concurrency());
  CPU_FREE(set);
  return count;
}

// Infinity where there is no limit or no such file.
double QuotaV2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");  // "200000 100000" or "max 100000"
  double quota = 0, period = 0;
  return file >> quota >> period && period > 0 ? quota / period : INFINITY;
}

double QuotaV1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
  double quota = -1, period = 0;
  return quota_file >> quota && period_file >> period && quota > 0 && period > 0 ? quota / period : INFINITY;
}

// The strictest limit of a group and those around it.
template <class Quota>
double StrictestQuota(const std::string& root, std::string group, Quota quota) {
  double strictest = quota(root);
  while (group.size() > 1) {
    strictest = std::min(strictest, quota(root + group));
    group.erase(group.rfind('/'));
  }
  return strictest;
}

// Whether the comma-separated list has the item.
bool Contains(const std::string& list, const std::string& item) {
  return ("," + list + ",").find("," + item + ",") != std::string::npos;
}

// Lines of /proc/self/cgroup: "0::/path" (v2), "4:cpu,cpuacct:/path" (v1).
double QuotaOfCgroup() {
  double strictest = INFINITY;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string id, controllers, group;
    if (!std::getline(fields, id, ':') || !std::getline(fields, controllers, ':') || !std::getline(fields, group))
      continue;
    if (id == "0" && controllers.empty()) {
      strictest = std::min(strictest, StrictestQuota("/sys/fs/cgroup", group, QuotaV2));
    } else if (Contains(controllers, "cpu")) {
      for (const std::string& mount : {std::string("cpu"), controllers}) {
        strictest = std::min(strictest, StrictestQuota("/sys/fs/cgroup/" + mount, group, QuotaV1));
      }
    }
  }
  return strictest;
}

}  // namespace

int AvailableCores() {
  const int cores = CoresOfAffinity();
  const double quota = QuotaOfCgroup();
  const int limited = quota < cores ? static_cast<int>(std::ceil(quota)) : cores;
  return std::max(1, limited);
}

}  // namespace residua
