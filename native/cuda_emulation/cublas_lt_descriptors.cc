// cublasLt's descriptors: making them, and setting their attributes.
#include "cuda_emulation/cublas_lt_state.h"
#include "cuda_emulation/cublas_product.h"

using namespace residua::cuda_emulation;
using namespace residua::cuda_emulation::lt;

namespace {

// Takes an attribute's value if it has the attribute's size.
template <class T>
cublasStatus_t Take(const void* value, size_t bytes, T* to) {
  if (value == nullptr || bytes != sizeof(T)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(to, value, sizeof(T));
  return CUBLAS_STATUS_SUCCESS;
}

template <class State, class Opaque, class Set>
cublasStatus_t Update(const char* function, Opaque* opaque, const Set& set) {
  return CublasCall(function, [&] {
    State state;
    if (!Read(opaque, &state)) return CUBLAS_STATUS_INVALID_VALUE;
    const cublasStatus_t status = set(&state);
    if (status == CUBLAS_STATUS_SUCCESS) Write(state, opaque);
    return status;
  });
}

template <class State, class Opaque>
cublasStatus_t Create(const char* function, const State& state, Opaque** opaque) {
  return CublasCall(function, [&] {
    if (opaque == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *opaque = new Opaque();
    Write(state, *opaque);
    return CUBLAS_STATUS_SUCCESS;
  });
}

template <class Opaque>
cublasStatus_t Destroy(const char* function, Opaque* opaque) {
  return CublasCall(function, [&] {
    delete opaque;
    return CUBLAS_STATUS_SUCCESS;
  });
}

}  // namespace

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* matLayout, cudaDataType type, uint64_t rows,
                                          uint64_t cols, int64_t ld) {
  Layout layout;
  layout.type = type;
  layout.rows = rows;
  layout.columns = cols;
  layout.ld = ld;
  return Create(__func__, layout, matLayout);
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t matLayout) { return Destroy(__func__, matLayout); }

cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t matLayout, cublasLtMatrixLayoutAttribute_t attr,
                                                const void* buf, size_t sizeInBytes) {
  return Update<Layout>(__func__, matLayout, [&](Layout* layout) {
    switch (attr) {
      case CUBLASLT_MATRIX_LAYOUT_TYPE:
        return Take(buf, sizeInBytes, &layout->type);
      case CUBLASLT_MATRIX_LAYOUT_ORDER:
        return Take(buf, sizeInBytes, &layout->order);
      case CUBLASLT_MATRIX_LAYOUT_ROWS:
        return Take(buf, sizeInBytes, &layout->rows);
      case CUBLASLT_MATRIX_LAYOUT_COLS:
        return Take(buf, sizeInBytes, &layout->columns);
      case CUBLASLT_MATRIX_LAYOUT_LD:
        return Take(buf, sizeInBytes, &layout->ld);
      case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT:
        return Take(buf, sizeInBytes, &layout->batches);
      case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET:
        return Take(buf, sizeInBytes, &layout->batch_stride);
    }
    return CUBLAS_STATUS_INVALID_VALUE;
  });
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* matmulDesc, cublasComputeType_t computeType,
                                        cudaDataType_t scaleType) {
  Desc desc;
  desc.compute = computeType;
  desc.scale_type = scaleType;
  return Create(__func__, desc, matmulDesc);
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t matmulDesc) { return Destroy(__func__, matmulDesc); }

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t matmulDesc, cublasLtMatmulDescAttributes_t attr,
                                              const void* buf, size_t sizeInBytes) {
  return Update<Desc>(__func__, matmulDesc, [&](Desc* desc) {
    switch (attr) {
      case CUBLASLT_MATMUL_DESC_COMPUTE_TYPE:
        return Take(buf, sizeInBytes, &desc->compute);
      case CUBLASLT_MATMUL_DESC_SCALE_TYPE:
        return Take(buf, sizeInBytes, &desc->scale_type);
      case CUBLASLT_MATMUL_DESC_POINTER_MODE:
        return Take(buf, sizeInBytes, &desc->pointer_mode);
      case CUBLASLT_MATMUL_DESC_TRANSA:
        return Take(buf, sizeInBytes, &desc->op_a);
      case CUBLASLT_MATMUL_DESC_TRANSB:
        return Take(buf, sizeInBytes, &desc->op_b);
      case CUBLASLT_MATMUL_DESC_EPILOGUE:
        return Take(buf, sizeInBytes, &desc->epilogue);
      case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
        return Take(buf, sizeInBytes, &desc->bias);
      case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
        return Take(buf, sizeInBytes, &desc->bias_type);
    }
    return CUBLAS_STATUS_INVALID_VALUE;
  });
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* pref) {
  return Create(__func__, Preference(), pref);
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t pref) { return Destroy(__func__, pref); }

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t pref,
                                                    cublasLtMatmulPreferenceAttributes_t attr, const void* buf,
                                                    size_t sizeInBytes) {
  return Update<Preference>(__func__, pref, [&](Preference* preference) {
    switch (attr) {
      case CUBLASLT_MATMUL_PREF_SEARCH_MODE:
        return Take(buf, sizeInBytes, &preference->search_mode);
      case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
        return Take(buf, sizeInBytes, &preference->most_workspace);
      case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
      case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
      case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
      case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
        return Take(buf, sizeInBytes, &preference->alignments[attr - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES]);
    }
    return CUBLAS_STATUS_INVALID_VALUE;
  });
}
