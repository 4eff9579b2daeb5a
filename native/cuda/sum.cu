// Kernels of sums over axes: partial sums, then, where there is more than one an output, their sum.
#include "cuda/sum.h"

#include <algorithm>

#include "cuda/element.h"
#include "cuda/strided_index.h"

namespace residua::cuda {
namespace {

constexpr int64_t kMostChunks = 1024;  // the second pass gives an output one warp
constexpr int64_t kRowTerms = 2048;    // terms of a partial sum that a warp adds up, at least
constexpr int64_t kColumnTerms = 64;   // terms of a partial sum that a thread adds up, at least

template <class T>
using Accumulator = std::conditional_t<kIsInteger<T>, long long, double>;

struct Work {
  int64_t outputs, terms, chunk, chunks, divisor;
};

// Integer sums wrap into integer outputs; a mean is always a float.
template <class Out, class A>
__device__ inline Out Finish(A sum, int64_t divisor) {
  if constexpr (kIsInteger<Out>) {
    return static_cast<Out>(static_cast<int64_t>(sum));
  } else {
    return Store<Out>(static_cast<float>(static_cast<double>(sum) / static_cast<double>(divisor)));
  }
}

// Where the sum of a chunk goes: the output itself if that is all of it, else partials [outputs, chunks].
template <class Out, class A>
__device__ inline void Deliver(const Work& work, int64_t output, int64_t chunk, A sum, A* partials, Out* y) {
  if (work.chunks == 1) {
    y[output] = Finish<Out>(sum, work.divisor);
  } else {
    partials[output * work.chunks + chunk] = sum;
  }
}

// One warp for each chunk of each output: its lanes read neighbouring terms.
template <class T, class Out>
__global__ void SumRowsKernel(StridedLoops<1> kept, StridedLoops<1> reduced, Work work, const T* x,
                              Accumulator<T>* partials, Out* y) {
  for (int64_t task = GridWarp(); task < work.outputs * work.chunks; task += GridWarps()) {
    const int64_t output = Quotient(task, work.chunks), chunk = task - output * work.chunks;
    const T* from = x + OffsetsOf(kept, output).at[0];
    const int64_t begin = chunk * work.chunk;
    const int64_t end = begin + work.chunk < work.terms ? begin + work.chunk : work.terms;
    Accumulator<T> sum = 0;
    for (int64_t term = begin + Lane(); term < end; term += kLanes) sum += Load(from[OffsetsOf(reduced, term).at[0]]);
    sum = WarpSum(sum);
    if (Lane() == 0) Deliver(work, output, chunk, sum, partials, y);
  }
}

// One thread for each chunk of each output: neighbouring threads read neighbouring outputs.
template <class T, class Out>
__global__ void SumColumnsKernel(StridedLoops<1> kept, StridedLoops<1> reduced, Work work, const T* x,
                                 Accumulator<T>* partials, Out* y) {
  for (int64_t task = GridThread(); task < work.outputs * work.chunks; task += GridThreads()) {
    const int64_t chunk = Quotient(task, work.outputs), output = task - chunk * work.outputs;
    const T* from = x + OffsetsOf(kept, output).at[0];
    const int64_t begin = chunk * work.chunk;
    const int64_t end = begin + work.chunk < work.terms ? begin + work.chunk : work.terms;
    Accumulator<T> sum = 0;
    for (int64_t term = begin; term < end; ++term) sum += Load(from[OffsetsOf(reduced, term).at[0]]);
    Deliver(work, output, chunk, sum, partials, y);
  }
}

// One warp an output adds up its partial sums.
template <class Out, class A>
__global__ void SumPartialsKernel(Work work, const A* partials, Out* y) {
  for (int64_t output = GridWarp(); output < work.outputs; output += GridWarps()) {
    A sum = 0;
    for (int64_t i = Lane(); i < work.chunks; i += kLanes) sum += partials[output * work.chunks + i];
    sum = WarpSum(sum);
    if (Lane() == 0) y[output] = Finish<Out>(sum, work.divisor);
  }
}

template <class T, class Out>
void LaunchSum(cudaStream_t stream, const StridedLoops<1>& kept, const StridedLoops<1>& reduced, bool columns,
               const Work& work, const T* x, char* scratch, Out* y) {
  auto* partials = reinterpret_cast<Accumulator<T>*>(scratch);
  const int64_t tasks = work.outputs * work.chunks;
  if (columns) {
    constexpr auto kernel = SumColumnsKernel<T, Out>;
    RESIDUA_LAUNCH(kernel, BlocksFor(tasks), kThreads, stream, kept, reduced, work, x, partials, y);
  } else {
    constexpr auto kernel = SumRowsKernel<T, Out>;
    RESIDUA_LAUNCH_COOPERATIVE(kernel, BlocksFor(tasks * kLanes), kThreads, 0, stream, kept, reduced, work, x, partials,
                               y);
  }
  if (work.chunks == 1) return;
  constexpr auto kernel = SumPartialsKernel<Out, Accumulator<T>>;
  RESIDUA_LAUNCH_COOPERATIVE(kernel, BlocksFor(work.outputs * kLanes), kThreads, 0, stream, work, partials, y);
}

}  // namespace

AxisSum::AxisSum(const TensorDesc& x, int32_t axis_mask, DType y_type, bool mean) : x_type_(x.dtype), y_type_(y_type) {
  const std::vector<int64_t> strides = StridesOf(x);
  const auto is_reduced = [&](size_t axis) { return (axis_mask >> axis & 1) != 0; };
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {  // outputs in logical order, for y is plain
    if (!is_reduced(axis)) kept_.Add(x.shape[axis], {strides[axis]});
  }
  for (int axis : StorageOrder(x)) {  // terms as they lie
    if (is_reduced(axis)) reduced_.Add(x.shape[axis], {strides[axis]});
  }
  outputs_ = kept_.Total();
  terms_ = reduced_.Total();
  const auto runs = [](const StridedLoops<1>& loops) {
    return loops.count > 0 && loops.strides[loops.count - 1][0] == 1;
  };
  columns_ = terms_ == 1 || (runs(kept_) && !runs(reduced_));
  const int64_t most_terms = (terms_ + kMostChunks - 1) / kMostChunks;
  chunk_ = std::max(columns_ ? kColumnTerms : kRowTerms, most_terms);
  chunks_ = (terms_ + chunk_ - 1) / chunk_;
  if (mean) divisor_ = terms_;
}

size_t AxisSum::scratch_bytes() const {
  return chunks_ == 1 ? 0 : static_cast<size_t>(outputs_ * chunks_) * sizeof(double);
}

void AxisSum::Launch(cudaStream_t stream, const void* x, void* y, char* scratch) const {
  const Work work = {outputs_, terms_, chunk_, chunks_, divisor_};
  DispatchType(x_type_, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    const auto launch = [&](auto out_tag) {
      using Out = typename decltype(out_tag)::Type;
      LaunchSum(stream, kept_, reduced_, columns_, work, static_cast<const T*>(x), scratch, static_cast<Out*>(y));
    };
    if (y_type_ == x_type_) {
      launch(tag);
    } else if (y_type_ == DType::kFloat32) {
      launch(TypeTag<float>{});
    } else {
      launch(TypeTag<int32_t>{});
    }
  });
}

}  // namespace residua::cuda
