// The CUDA backend's factory.
#pragma once
#include <memory>

#include "core/backend.h"

namespace residua::cuda {

// Throws Error(kBackendUnavailable) with what was looked for, what was found and the remedy; Error(kConfig).
std::unique_ptr<Backend> MakeCudaBackend(int device);

}  // namespace residua::cuda
