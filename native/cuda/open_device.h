// An opened GPU: its stream and library handles, given back with their owner.
#pragma once
#include <cublasLt.h>
#include <cublas_v2.h>
#include <cudnn.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/context.h"
#include "cuda/device_probe.h"
#include "cuda/graph_planner.h"
#include "cuda/owned.h"

namespace residua::cuda {

class OpenDevice {
 public:
  // Throws Error(kBackendUnavailable) where the GPU or a library does not start, Error(kConfig) for wrong options.
  explicit OpenDevice(int device);

  const CudaContext& context() const { return context_; }
  const DeviceFacts& facts() const { return facts_; }
  // GPU, versions, memory, options.
  std::vector<std::pair<std::string, std::string>> Describe() const;

 private:
  void Start();
  void TryKernel();

  CudaContext context_;
  DeviceFacts facts_;
  Stream stream_;
  Owned<cudnnHandle_t, cudnnDestroy> cudnn_;
  Owned<void*, cudaFree> cublas_workspace_;
  Owned<cublasHandle_t, cublasDestroy> cublas_;
  Owned<cublasLtHandle_t, cublasLtDestroy> cublas_lt_;
  std::unique_ptr<GraphPlanner> planner_;
};

}  // namespace residua::cuda
