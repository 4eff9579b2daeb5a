// The size of the caches, for oneDNN, whose convolutions choose their blocks by it.
#pragma once
#include <cstddef>

namespace residua::cpu {

// The size of the processor's data cache of a level (1, 2 or 3), in bytes for each core. `told` is what oneDNN has
// found: kept, unless it is too small for any processor; then what the system says, or what oneDNN takes where it finds
// nothing (32 KiB, 512 KiB, 1 MiB).
//
// oneDNN 3 asks AMD's processors by an instruction (CPUID 8000001Dh) that a hypervisor may answer with zeros, and takes
// that for caches of one byte: convolutions with 1x1 kernels then take up to 14% longer. In the addon oneDNN asks this
// function in place of its own: it exports the name of oneDNN's, dnnl::impl::cpu::platform::get_per_core_cache_size,
// and the dynamic linker looks in the addon before it looks in oneDNN. oneDNN 2 does not export that function and is
// not changed.
size_t CacheSize(int level, size_t told);

}  // namespace residua::cpu
