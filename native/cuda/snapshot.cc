// The values of a tensor at one moment, for a copy to the host.
#include "cuda/snapshot.h"

#include <utility>

#include "cuda/layout.h"

namespace residua::cuda {

namespace {

// Where the GPU has no memory for a snapshot this thread waits for the copy.
void CopyAtOnce(const CudaContext& context, const Tensor& from, DownloadJob* job) {
  job->values.reset(new uint8_t[job->desc.bytes]);
  RESIDUA_CUDA(cudaMemcpyAsync(job->values.get(), from.storage->data(), job->desc.bytes, cudaMemcpyDeviceToHost,
                               context.stream));
  RESIDUA_CUDA(cudaStreamSynchronize(context.stream));
}

}  // namespace

void TakeSnapshot(const CudaContext& context, const std::shared_ptr<CachingAllocator>& allocator, const Tensor& from,
                  DownloadJob* job) {
  Dependence dependence = Dependence::Of({from});
  job->error = dependence.error;
  job->faults = std::move(dependence.open);
  job->desc = PlainLike(from.desc);
  if (job->error) return;
  try {
    job->snapshot = DeviceMemory(allocator, job->desc.bytes);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kOutOfMemory || !IsPlain(from.desc)) throw;
    CopyAtOnce(context, from, job);
    return;
  }
  LaunchConvertLayout(context, from.desc, from.storage->data(), job->desc, job->snapshot.data());
  job->is_taken = std::make_unique<Event>();
  job->is_taken->Record(context.stream);
}

}  // namespace residua::cuda
