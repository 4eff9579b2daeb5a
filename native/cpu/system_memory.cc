// How much memory this process may use: /proc/meminfo, and the limits of its cgroups (v2, v1).
#include "cpu/system_memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>

namespace residua::cpu {
namespace {

// The number after `name` in a file of "name number" lines; 0 when it is not there.
size_t ReadField(const std::string& file, const std::string& name) {
  std::ifstream stream(file);
  std::string word;
  size_t value = 0;
  while (stream >> word) {
    if (word == name && stream >> value) return value;
  }
  return 0;
}

// A file of one number; false where it is missing or says "max".
bool ReadNumber(const std::string& file, size_t* value) {
  std::ifstream stream(file);
  return static_cast<bool>(stream >> *value);
}

// Lowers `info` to what the cgroup in `folder` leaves. Page cache counts as free: the kernel drops it first.
void ApplyLimit(const std::string& folder, const char* limit_file, const char* usage_file, const char* cache_prefix,
                MemoryInfo* info) {
  size_t limit = 0, usage = 0;
  if (!ReadNumber(folder + limit_file, &limit) || !ReadNumber(folder + usage_file, &usage)) return;
  if (limit >= info->total) return;
  const std::string stat = folder + "/memory.stat", prefix = cache_prefix;
  const size_t cache = ReadField(stat, prefix + "inactive_file") + ReadField(stat, prefix + "active_file");
  const size_t used = usage - std::min(usage, cache);
  info->total = limit;
  info->available = std::min(info->available, limit - std::min(limit, used));
}

// Applies every cgroup from `path` up to the root.
void ApplyHierarchy(const std::string& mount, std::string path, const char* limit_file, const char* usage_file,
                    const char* cache_prefix, MemoryInfo* info) {
  for (;;) {
    ApplyLimit(mount + path, limit_file, usage_file, cache_prefix, info);
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos || path.empty()) return;
    path.resize(slash);
  }
}

}  // namespace

MemoryInfo SystemMemory() {
  MemoryInfo info;
  info.total = ReadField("/proc/meminfo", "MemTotal:") * 1024;
  info.available = ReadField("/proc/meminfo", "MemAvailable:") * 1024;
  if (info.total == 0) {  // no /proc
    info.total = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
    info.available = info.total;
  }
  std::ifstream groups("/proc/self/cgroup");  // lines of "id:controllers:path"
  std::string line;
  while (std::getline(groups, line)) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",",
                      path = line.substr(second + 1);
    if (controllers == ",,") {
      ApplyHierarchy("/sys/fs/cgroup", path, "/memory.max", "/memory.current", "", &info);
    } else if (controllers.find(",memory,") != std::string::npos) {
      ApplyHierarchy("/sys/fs/cgroup/memory", path, "/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_",
                     &info);
    }
  }
  return info;
}

}  // namespace residua::cpu
