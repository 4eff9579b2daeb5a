// Matrix products on the host, in float arithmetic, for the emulated cuBLAS and cuDNN.
#pragma once
#include <cstddef>
#include <cstdint>

#include "library_types.h"

namespace residua::cuda_emulation {

// A matrix in memory: element (row, column) is number row * row_stride + column * column_stride.
struct MatrixView {
  void* data = nullptr;
  cudaDataType type = CUDA_R_32F;  // CUDA_R_32F, CUDA_R_16BF or CUDA_R_16F
  int64_t row_stride = 0, column_stride = 0;
};

struct GemmEpilogue {
  float alpha = 1, beta = 0;
  const void* row_bias = nullptr;  // one value a row of C, of C's type
  bool relu = false;
  bool round_to_tf32 = false;  // inputs keep 10 bits of fraction
};

// c [m, n] = relu(alpha * a [m, k] b [k, n] + beta * c_in [m, n] + row_bias). c_in may be c; it is not read where beta
// is 0. Sums are float sums in the order of k.
void HostGemm(int64_t m, int64_t n, int64_t k, const MatrixView& a, const MatrixView& b, const MatrixView& c_in,
              const MatrixView& c, const GemmEpilogue& epilogue = {});

}  // namespace residua::cuda_emulation
