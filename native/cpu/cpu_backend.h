// The CPU backend's factory.
#pragma once
#include <memory>

#include "core/backend.h"

namespace residua {

// Throws Error(kBackendUnavailable) where oneDNN does not start.
std::unique_ptr<Backend> MakeCpuBackend();

}  // namespace residua
