// Sums of products for some pixels of a convolution's result, kept in registers while the taps of the kernel run.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace residua::cpu {

constexpr int64_t kPixelVector = 16;       // channels in a vector
constexpr int64_t kPixelVectorBytes = 64;  // of b, in either type: see `steps`
constexpr int64_t kMostPixelVectors = 4;   // of the result, in one product

// Where a tap's operands lie, in bytes from the product's.
struct PixelTap {
  int64_t a, b;
};

// The sum over taps and steps of a [pixels] b [vectors]. A step is one number of float32, or two of bfloat16, since the
// instruction adds the products of pairs: b's lane is then two numbers. Offsets and strides count bytes.
struct PixelProduct {
  const char* a;
  const int64_t* a_pixels;  // offset of each pixel; a step is 4 bytes
  const char* b;
  int64_t b_step, b_vector;
  const PixelTap* taps;
  int64_t tap_count, steps;
  int64_t pixels, vectors;  // vectors: 1 to kMostPixelVectors
  const float* bias;        // [vectors, 16] to begin with, or null for 0
  // [vectors][pixels, 16], from vector to vector sums_vector numbers. Read, they are what is begun with; written, they
  // take the place of the result.
  float* sums;
  int64_t sums_vector;
  bool reads_sums, writes_sums;
  char* out;
  const int64_t* out_pixels;
  int64_t out_vector;
  bool adds_to_out;  // the result is added to what is there
  bool relu;         // of the result; NaN stays NaN
};

// Whether this processor has the instructions.
bool HasPixelProducts(DType dtype);
using PixelProductKernel = void (*)(const PixelProduct& product);
PixelProductKernel PixelProductKernelFor(DType dtype);

}  // namespace residua::cpu
