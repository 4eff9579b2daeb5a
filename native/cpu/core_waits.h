// How long threads that could run had to wait for a core, because others were using it.
#pragma once

namespace residua::cpu {

// Seconds that the threads of OpenMP's team on the calling thread have waited so far, together. Always 0 where the
// kernel does not count (/proc/thread-self/schedstat).
double SecondsWaitedForCores();

}  // namespace residua::cpu
