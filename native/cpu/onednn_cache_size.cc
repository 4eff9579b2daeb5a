// The size of the caches, for oneDNN.
#include "cpu/onednn_cache_size.h"

#include <dlfcn.h>
#include <unistd.h>

#include "cpu/onednn.h"

namespace residua::cpu {

namespace {

constexpr int kLevels = 3;
// Less than any processor with AVX2 has.
constexpr size_t kSmallest[kLevels] = {8 << 10, 64 << 10, 64 << 10};

// What the system knows, 0 for nothing. Not asked for level 3: it is shared, and a virtual machine has a part of it.
size_t SystemCacheSize(int level) {
#if defined(_SC_LEVEL1_DCACHE_SIZE) && defined(_SC_LEVEL2_CACHE_SIZE)
  constexpr int kNames[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE};
  if (level <= 2) {
    const long size = sysconf(kNames[level - 1]);
    return size > 0 ? static_cast<size_t>(size) : 0;
  }
#endif
  return 0;
}

#if DNNL_VERSION_MAJOR >= 3
// oneDNN's own function, which the one exported below stands before; null where it has none.
using SizeOfLevel = unsigned (*)(int level);
SizeOfLevel OneDnnCacheSize() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<void*>(&dnnl_version), &info) || !info.dli_fname) return nullptr;
  void* const library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);  // it is loaded: this finds it
  if (!library) return nullptr;
  return reinterpret_cast<SizeOfLevel>(dlsym(library, "_ZN4dnnl4impl3cpu8platform23get_per_core_cache_sizeEi"));
}
#endif

}  // namespace

size_t CacheSize(int level, size_t told) {
  if (level < 1 || level > kLevels || told >= kSmallest[level - 1]) return told;
  constexpr size_t kWhereNothingIsKnown[kLevels] = {32 << 10, 512 << 10, 1 << 20};
  const size_t system = SystemCacheSize(level);
  return system >= kSmallest[level - 1] ? system : kWhereNothingIsKnown[level - 1];
}

}  // namespace residua::cpu

#if DNNL_VERSION_MAJOR >= 3
namespace dnnl::impl::cpu::platform {

// oneDNN returns an `unsigned`; a whole register serves it, and a later one that might return a size_t, as well.
__attribute__((visibility("default"))) size_t get_per_core_cache_size(int level) {
  static const residua::cpu::SizeOfLevel of_onednn = residua::cpu::OneDnnCacheSize();
  return residua::cpu::CacheSize(level, of_onednn ? of_onednn(level) : 0);
}

}  // namespace dnnl::impl::cpu::platform
#endif
