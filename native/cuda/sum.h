// Sums and means of a tensor over any of its axes, for ops: Sum, Mean, gradients of biases.
#pragma once
#include "cuda/context.h"
#include "cuda/strides.h"

namespace residua::cuda {

// y [kept axes] = sum (or mean) of x over the axes whose bits are set in `axis_mask`. Floats are accumulated in double,
// integers in int64. The work is cut into pieces that depend on type, shape and layout alone, and partial sums are
// added in a fixed order: the same values give the same bits.
class AxisSum {
 public:
  AxisSum(const TensorDesc& x, int32_t axis_mask, DType y_type, bool mean);
  size_t scratch_bytes() const;
  // x as it lies, y plain.
  void Launch(cudaStream_t stream, const void* x, void* y, char* scratch) const;

 private:
  StridedLoops<1> kept_, reduced_;
  bool columns_;         // neighbouring outputs lie side by side in x, neighbouring terms do not
  int64_t outputs_ = 1;  // how many sums
  int64_t terms_ = 1;    // elements of each
  int64_t chunk_ = 1;    // terms that go into one partial sum
  int64_t chunks_ = 1;   // partial sums an output
  int64_t divisor_ = 1;  // of the sum
  DType x_type_, y_type_;
};

}  // namespace residua::cuda
