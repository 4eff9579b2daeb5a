// Sums of outer products, kept in registers: c [lanes, channels] += the sum over steps of a [lanes] b [channels].
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace residua::cpu {

// In float32 a step is one position of an image. In bfloat16 it is two neighbours, since the instruction adds the
// products of pairs: an operand's lane is then two numbers, the one of either position.
constexpr int64_t PositionsInStep(DType dtype) { return dtype == DType::kBFloat16 ? 2 : 1; }

constexpr int64_t kVector = 16;       // channels in a vector
constexpr int64_t kVectorBytes = 64;  // lanes of 4 bytes in either type
constexpr int64_t kMostVectors = 4;   // of b, in one product

// Of a, in one product with `vectors` of b: as many as leave registers for the operands.
constexpr int64_t MostLanes(int64_t vectors) { return vectors == kMostVectors ? 6 : 8; }

// The steps that are summed up: all of a box.
struct StepBox {
  int64_t images, rows, steps;
};

// Where they lie: bytes from one to the next along each side of the box.
struct StepAddresses {
  const char* at;
  int64_t image, row, step;
};

struct OuterProduct {
  StepBox box;
  StepAddresses a;  // lanes, one after the other
  StepAddresses b;  // the first vector; others lie `b_vector` bytes apart
  int64_t b_vector;
  float* c;  // [lanes, 16] for the first vector; others lie `c_vector` elements apart
  int64_t c_vector;
  bool adds;  // to what c holds; else c is written
  // What the caller is about to read, a cache line for each step: it is fetched into the second-level cache
  // meanwhile.
  const char* ahead;
  int64_t ahead_step;
};

// Whether this processor has the instructions.
bool HasOuterProducts(DType dtype);

// `vectors`: 1 to kMostVectors. `lanes`: MostLanes(vectors), or what they leave of 16, or 1 (of one vector), 3, or 7
// (of up to 3 vectors).
using OuterProductKernel = void (*)(const OuterProduct& product);
OuterProductKernel OuterProductKernelFor(DType dtype, int64_t lanes, int64_t vectors);

// A lane whose numbers are 1 in the type: the product with it is b's sum.
const char* LaneOfOnes(DType dtype);

// Pairs of neighbours for bfloat16: positions first, first + stride, ... (`count` of them) of `row` [width, 16] become
// steps [(count + 1) / 2, 16, 2]. Positions outside the row, and the last step's second where `count` is odd, are 0.
struct PairRow {
  const uint16_t* row;
  int64_t width, first, stride, count;
};
void PackPairs(const PairRow& from, void* steps);

}  // namespace residua::cpu
