// How much memory this process may use: the machine's, or less where a cgroup limits it.
#pragma once
#include <cstddef>
#include <string>

namespace residua::cpu {

struct MemoryInfo {
  size_t total = 0;
  size_t available = 0;  // can be taken without swapping
};

MemoryInfo SystemMemory();

// "1.7 GiB"
std::string FormatBytes(size_t bytes);

}  // namespace residua::cpu
