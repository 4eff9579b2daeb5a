// What lies in cublasLt's descriptors, which are blocks of words to the caller.
#pragma once
#include <cstdint>
#include <cstring>

#include "cublasLt.h"

namespace residua::cuda_emulation::lt {

// What each structure begins with, so that a wrong one shows.
constexpr uint32_t kLayoutTag = 0x4c61794fu, kDescTag = 0x44657363u, kPreferenceTag = 0x50726566u,
                   kAlgoTag = 0x416c676fu;
struct Layout {
  uint32_t tag = kLayoutTag;
  uint32_t type = CUDA_R_32F;
  uint64_t rows = 0, columns = 0;
  int64_t ld = 0, batch_stride = 0;
  int32_t order = CUBLASLT_ORDER_COL, batches = 1;
};

struct Desc {
  uint32_t tag = kDescTag;
  int32_t compute = CUBLAS_COMPUTE_32F, scale_type = CUDA_R_32F, pointer_mode = CUBLAS_POINTER_MODE_HOST;
  int32_t op_a = CUBLAS_OP_N, op_b = CUBLAS_OP_N;
  uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  int32_t bias_type = -1;
  const void* bias = nullptr;
};

struct Preference {
  uint32_t tag = kPreferenceTag;
  uint32_t search_mode = 0;
  uint64_t most_workspace = 0;
  uint32_t alignments[4] = {256, 256, 256, 256};  // of a, b, c, d
};

struct Algo {
  uint32_t tag = kAlgoTag;
  uint32_t alignments[4];
  uint64_t workspace;
};

template <class State, class Opaque>
void Write(const State& state, Opaque* opaque) {
  static_assert(sizeof(State) <= sizeof(opaque->data));
  std::memcpy(opaque->data, &state, sizeof(state));
}

// The structure in the caller's words; false if there is none of its kind.
template <class State, class Opaque>
bool Read(const Opaque* opaque, State* state) {
  const uint32_t tag = state->tag;
  if (opaque == nullptr) return false;
  std::memcpy(state, opaque->data, sizeof(*state));
  return state->tag == tag;
}

}  // namespace residua::cuda_emulation::lt
