// Turns statuses of CUDA, cuDNN and cuBLAS into Error(kNative) that say which call failed, where and why.
#pragma once
#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cudnn.h>

#include "core/error.h"

namespace residua::cuda {

// Each throws unless `status` is success. `call` is the text of the call, `file` and `line` where it stands.
void Check(cudaError_t status, const char* call, const char* file, int line);
void Check(cudnnStatus_t status, const char* call, const char* file, int line);
void Check(cublasStatus_t status, const char* call, const char* file, int line);

#define RESIDUA_CUDA(call) ::residua::cuda::Check((call), #call, __FILE__, __LINE__)

}  // namespace residua::cuda
