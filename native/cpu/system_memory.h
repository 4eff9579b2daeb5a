// How much memory this process may use: the machine's, or less where a cgroup limits it.
#pragma once
#include <cstddef>

#include "core/bytes.h"

namespace residua::cpu {

struct MemoryInfo {
  size_t total = 0;
  size_t available = 0;  // can be taken without swapping
};

MemoryInfo SystemMemory();

}  // namespace residua::cpu
