// What every op of the CUDA backend may use: the device, its stream and library handles, the planner of cuDNN graphs.
#pragma once
#include <cublasLt.h>
#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cudnn.h>

#include <cstdint>
#include <string>

namespace residua::cuda {

class GraphPlanner;  // cuda/graph_planner.h

// From the environment; fixed for the life of a backend.
struct CudaOptions {
  bool allow_tf32 = true;        // RESIDUA_TF32=0: float32 convolutions and matrix products in full precision
  bool cudnn_benchmark = false;  // RESIDUA_CUDNN_BENCHMARK=1: time the best candidates of each graph
  bool cuda_graphs = true;       // RESIDUA_CUDA_GRAPHS=0: programs are enqueued op by op, never captured
  size_t memory_limit = 0;       // RESIDUA_GPU_MEMORY_LIMIT=8GiB: bytes this process may take; 0: what is free
  std::string plan_folder;       // RESIDUA_CUDNN_PLANS: where plans are kept; "" for none
  static CudaOptions FromEnvironment();
};

struct CudaContext {
  int device = 0;
  int multiprocessors = 0;
  cudaStream_t stream = nullptr;  // all compute work, in order
  cudnnHandle_t cudnn = nullptr;  // on `stream`
  cublasHandle_t cublas = nullptr;
  cublasLtHandle_t cublas_lt = nullptr;
  GraphPlanner* planner = nullptr;
  CudaOptions options;
};

}  // namespace residua::cuda
