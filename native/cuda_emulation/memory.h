// Which memory the emulated device may touch.
#pragma once
#include <cstddef>

namespace residua::cuda_emulation {

enum class MemoryKind { kPageable, kPinned, kDevice };

// What `pointer` points into.
MemoryKind KindOf(const void* pointer);
// Whether all of [pointer, pointer + bytes) lies in one live allocation of the kind.
bool IsWithin(MemoryKind kind, const void* pointer, size_t bytes);
// Whether the device may read and write the range: device memory or pinned memory.
bool IsReachable(const void* pointer, size_t bytes);

}  // namespace residua::cuda_emulation
