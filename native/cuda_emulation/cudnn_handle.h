// A cuDNN handle: a stream, and whether the handle lives.
#pragma once
#include <cudnn.h>

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace residua::cuda_emulation {

// Throws unless `handle` came from cudnnCreate and was not destroyed.
cudnnContext& LiveHandle(cudnnHandle_t handle);

}  // namespace residua::cuda_emulation
