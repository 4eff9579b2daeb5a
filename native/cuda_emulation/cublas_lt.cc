// cublasLt: handles, the choice of an algorithm, and matrix products with an epilogue.
#include <algorithm>

#include "cuda_emulation/cublas_lt_state.h"
#include "cuda_emulation/cublas_product.h"
#include "cuda_emulation/memory.h"
#include "cuda_emulation/settings.h"
#include "cuda_emulation/streams.h"

using namespace residua::cuda_emulation;
using namespace residua::cuda_emulation::lt;

struct cublasLtContext {
  uint64_t tag = 0;
};

namespace {

constexpr uint64_t kHandleTag = 0x656c646e614854ull;  // a wrong handle shows
constexpr uint64_t kUsualWorkspace = 64 << 10;        // what the emulated algorithm would like
constexpr uint32_t kMostAlignment = 16;               // that it can make use of

bool IsHandle(cublasLtHandle_t handle) { return handle != nullptr && handle->tag == kHandleTag; }

ColumnMajor MatrixOf(const Layout& layout) {
  ColumnMajor matrix;
  matrix.type = static_cast<cudaDataType>(layout.type);
  matrix.rows = static_cast<int64_t>(layout.rows);
  matrix.columns = static_cast<int64_t>(layout.columns);
  matrix.ld = layout.ld;
  matrix.batch_stride = layout.batch_stride;
  return matrix;
}

// Whether the emulation has the epilogue. A bias has the type of d.
cublasStatus_t CheckEpilogue(const Desc& desc, const ColumnMajor& d) {
  switch (desc.epilogue) {
    case CUBLASLT_EPILOGUE_DEFAULT:
    case CUBLASLT_EPILOGUE_RELU:
      return CUBLAS_STATUS_SUCCESS;
    case CUBLASLT_EPILOGUE_BIAS:
    case CUBLASLT_EPILOGUE_RELU_BIAS:
      return desc.bias_type == -1 || desc.bias_type == d.type ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

// The product that the descriptors describe, without addresses.
cublasStatus_t Describe(cublasLtMatmulDesc_t desc_handle, const cublasLtMatrixLayout_t (&layouts)[4], Desc* desc,
                        Product* product) {
  if (!Read(desc_handle, desc)) return CUBLAS_STATUS_INVALID_VALUE;
  ColumnMajor* matrices[4] = {&product->a, &product->b, &product->c, &product->d};
  int32_t batches[4];
  for (int i = 0; i < 4; ++i) {
    Layout layout;
    if (!Read(layouts[i], &layout)) return CUBLAS_STATUS_INVALID_VALUE;
    if (layout.order != CUBLASLT_ORDER_COL) return CUBLAS_STATUS_NOT_SUPPORTED;
    *matrices[i] = MatrixOf(layout);
    batches[i] = layout.batches;
  }
  for (int32_t count : batches) {
    if (count != batches[0]) return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (desc->scale_type != CUDA_R_32F || desc->pointer_mode != CUBLAS_POINTER_MODE_HOST) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  product->batches = batches[0];
  product->op_a = static_cast<cublasOperation_t>(desc->op_a);
  product->op_b = static_cast<cublasOperation_t>(desc->op_b);
  product->compute = static_cast<cublasComputeType_t>(desc->compute);
  const cublasStatus_t status = CheckProduct(*product);
  return status == CUBLAS_STATUS_SUCCESS ? CheckEpilogue(*desc, product->d) : status;
}

bool IsAligned(const void* pointer, uint64_t alignment) {
  return reinterpret_cast<uintptr_t>(pointer) % alignment == 0;
}

// Whether addresses and workspace are what the algorithm was chosen for.
bool SuitsAlgo(const Algo& algo, const Product& product) {
  const void* const pointers[4] = {product.a.data, product.b.data, product.c.data, product.d.data};
  for (int i = 0; i < 4; ++i) {
    if (!IsAligned(pointers[i], algo.alignments[i])) return false;
  }
  return product.workspace_bytes >= algo.workspace && IsAligned(product.workspace, kMostAlignment);
}

}  // namespace

cublasStatus_t cublasLtCreate(cublasLtHandle_t* lightHandle) {
  return CublasCall(__func__, [&] {
    if (lightHandle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    if (DeviceCount() == 0) return CUBLAS_STATUS_NOT_INITIALIZED;
    *lightHandle = new cublasLtContext{kHandleTag};
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t lightHandle) {
  return CublasCall(__func__, [&] {
    if (!IsHandle(lightHandle)) return CUBLAS_STATUS_NOT_INITIALIZED;
    lightHandle->tag = 0;
    delete lightHandle;
    return CUBLAS_STATUS_SUCCESS;
  });
}

size_t cublasLtGetVersion(void) { return CUBLAS_VERSION; }

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t lightHandle, cublasLtMatmulDesc_t operationDesc,
                                              cublasLtMatrixLayout_t Adesc, cublasLtMatrixLayout_t Bdesc,
                                              cublasLtMatrixLayout_t Cdesc, cublasLtMatrixLayout_t Ddesc,
                                              cublasLtMatmulPreference_t preference, int requestedAlgoCount,
                                              cublasLtMatmulHeuristicResult_t heuristicResultsArray[],
                                              int* returnAlgoCount) {
  return CublasCall(__func__, [&] {
    if (!IsHandle(lightHandle)) return CUBLAS_STATUS_NOT_INITIALIZED;
    Preference wishes;
    if (!Read(preference, &wishes) || requestedAlgoCount < 1 || heuristicResultsArray == nullptr ||
        returnAlgoCount == nullptr) {
      return CUBLAS_STATUS_INVALID_VALUE;
    }
    *returnAlgoCount = 0;
    Desc desc;
    Product product;
    const cublasStatus_t status = Describe(operationDesc, {Adesc, Bdesc, Cdesc, Ddesc}, &desc, &product);
    if (status != CUBLAS_STATUS_SUCCESS) return status;
    Algo algo;
    for (int i = 0; i < 4; ++i) algo.alignments[i] = std::clamp(wishes.alignments[i], 1u, kMostAlignment);
    algo.workspace = std::min(wishes.most_workspace, kUsualWorkspace);
    cublasLtMatmulHeuristicResult_t& result = heuristicResultsArray[0];
    result = {};
    Write(algo, &result.algo);
    result.workspaceSize = algo.workspace;
    result.state = CUBLAS_STATUS_SUCCESS;
    result.wavesCount = 1;
    *returnAlgoCount = 1;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t lightHandle, cublasLtMatmulDesc_t computeDesc, const void* alpha,
                              const void* A, cublasLtMatrixLayout_t Adesc, const void* B, cublasLtMatrixLayout_t Bdesc,
                              const void* beta, const void* C, cublasLtMatrixLayout_t Cdesc, void* D,
                              cublasLtMatrixLayout_t Ddesc, const cublasLtMatmulAlgo_t* algo, void* workspace,
                              size_t workspaceSizeInBytes, cudaStream_t stream) {
  return CublasCall(__func__, [&] {
    if (!IsHandle(lightHandle)) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (alpha == nullptr || beta == nullptr || !IsStream(stream)) return CUBLAS_STATUS_INVALID_VALUE;
    Desc desc;
    Product product;
    const cublasStatus_t status = Describe(computeDesc, {Adesc, Bdesc, Cdesc, Ddesc}, &desc, &product);
    if (status != CUBLAS_STATUS_SUCCESS) return status;
    product.a.data = A;
    product.b.data = B;
    product.c.data = C;
    product.d.data = D;
    product.workspace = workspaceSizeInBytes == 0 ? nullptr : workspace;
    product.workspace_bytes = workspaceSizeInBytes;
    Algo chosen;
    if (algo != nullptr && (!Read(algo, &chosen) || !SuitsAlgo(chosen, product))) return CUBLAS_STATUS_INVALID_VALUE;
    product.epilogue.alpha = *static_cast<const float*>(alpha);
    product.epilogue.beta = *static_cast<const float*>(beta);
    product.epilogue.relu = (desc.epilogue & CUBLASLT_EPILOGUE_RELU) != 0;
    if ((desc.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0) {
      if (desc.bias == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
      product.epilogue.row_bias = desc.bias;
    }
    return EnqueueProduct(product, stream);
  });
}
