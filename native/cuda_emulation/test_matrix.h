// A matrix on the device for the tests of products.
#pragma once
#include <cmath>
#include <random>

#include "cublas_v2.h"
#include "cuda_bf16.h"
#include "cuda_emulation/test_checks.h"
#include "cuda_fp16.h"

namespace residua::cuda_emulation {

inline size_t BytesOf(cudaDataType type) { return type == CUDA_R_32F ? 4 : 2; }

// A matrix on the device, columns `ld` elements apart; what lies between columns is NaN.
class Matrix {
 public:
  Matrix(cudaDataType type, int rows, int columns, int ld, unsigned seed)
      : rows_(rows), ld_(ld), type_(type), memory_(static_cast<size_t>(ld) * columns * BytesOf(type)) {
    std::minstd_rand random(seed);
    for (int column = 0; column < columns; ++column) {
      for (int row = 0; row < rows; ++row) Set(row, column, static_cast<float>(random() % 7) - 3);
    }
  }

  void* get() const { return memory_.get(); }
  int ld() const { return ld_; }
  cudaDataType type() const { return type_; }
  float At(int row, int column) const {
    const size_t at = static_cast<size_t>(column) * ld_ + row;
    if (type_ == CUDA_R_16BF) return __bfloat162float(reinterpret_cast<__nv_bfloat16*>(memory_.get())[at]);
    if (type_ == CUDA_R_16F) return __half2float(reinterpret_cast<__half*>(memory_.get())[at]);
    return reinterpret_cast<float*>(memory_.get())[at];
  }
  void Set(int row, int column, float value) {
    const size_t at = static_cast<size_t>(column) * ld_ + row;
    if (type_ == CUDA_R_16BF) {
      reinterpret_cast<__nv_bfloat16*>(memory_.get())[at] = __float2bfloat16(value);
    } else if (type_ == CUDA_R_16F) {
      reinterpret_cast<__half*>(memory_.get())[at] = __float2half(value);
    } else {
      reinterpret_cast<float*>(memory_.get())[at] = value;
    }
  }
  // The value as the matrix's type holds it.
  float Rounded(float value) const {
    if (type_ == CUDA_R_16BF) return __bfloat162float(__float2bfloat16(value));
    return type_ == CUDA_R_16F ? __half2float(__float2half(value)) : value;
  }
  bool GapsUntouched(int columns) const {
    for (int column = 0; column < columns; ++column) {
      for (int row = rows_; row < ld_; ++row) {
        if (!std::isnan(At(row, column))) return false;
      }
    }
    return true;
  }

 private:
  int rows_, ld_;
  cudaDataType type_;
  DeviceArray<char> memory_;
};

}  // namespace residua::cuda_emulation
