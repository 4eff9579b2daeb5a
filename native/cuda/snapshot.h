// The values of a tensor at one moment, for a copy to the host.
#pragma once
#include <memory>

#include "cuda/context.h"
#include "cuda/downloader.h"

namespace residua::cuda {

// Takes into `job` the values as they are now: later work may change them, or get their memory, before the copy to the
// host is done. And what they depend on.
void TakeSnapshot(const CudaContext& context, const std::shared_ptr<CachingAllocator>& allocator, const Tensor& from,
                  DownloadJob* job);

}  // namespace residua::cuda
