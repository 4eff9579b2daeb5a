// How many cores this process may use.
#pragma once

namespace residua {

// The smaller of the CPU affinity and the cgroup's quota (v1 and v2), rounded up; at least 1.
int AvailableCores();

}  // namespace residua
