// The CPU backend's factory, and the profile of one.
#pragma once
#include <memory>

#include "core/backend.h"

namespace residua {

namespace cpu {
class Profile;  // cpu/profile.h
}

// Throws Error(kBackendUnavailable) where oneDNN does not start.
std::unique_ptr<Backend> MakeCpuBackend();

// Null where it is not a CPU backend.
cpu::Profile* ProfileOf(Backend* backend);

}  // namespace residua
