// Sum and Mean over any axes. Floats are accumulated in double, integers in int64. The work is cut into pieces that
// depend on the shape alone, and partial sums are added in a fixed order: the result does not depend on the number of
// threads.
#include "cpu/cpu_plan.h"
#include "cpu/element.h"

namespace residua::cpu {
namespace {

constexpr int64_t kChunkElements = 32768;  // elements that go into one partial sum of one tile
constexpr int64_t kTileWidth = 64;         // neighbouring outputs that are summed together
constexpr int kLanes = 8;                  // independent partial sums of one contiguous run

struct Loop {
  int64_t size, stride;  // stride in elements
};
using Loops = std::vector<Loop>;  // outermost first, neighbours merged

int64_t Count(const Loops& loops) {
  int64_t count = 1;
  for (const Loop& loop : loops) count *= loop.size;
  return count;
}

int64_t OffsetOf(const Loops& loops, int64_t index) {
  int64_t offset = 0;
  for (size_t i = loops.size(); i-- > 0;) {
    offset += index % loops[i].size * loops[i].stride;
    index /= loops[i].size;
  }
  return offset;
}

// How the elements of a plain tensor are visited: each output (index into `kept`) sums over `reduced`.
struct Reduction {
  Loops kept, reduced;
  bool inner_reduced = false;  // the innermost axis is summed over: runs of `reduced` are contiguous
  int64_t outputs = 1, terms = 1;
  int64_t run = 1;   // length of the contiguous runs, of `reduced` or of `kept`
  int64_t tile = 1;  // outputs a tile, neighbours along a run of `kept`
  int64_t tiles_a_run = 1;
  int64_t tiles = 1;
  int64_t chunk = 1;  // terms a partial sum
  int64_t chunks = 1;

  Reduction(const Shape& shape, int32_t axis_mask) {
    Split(shape, axis_mask);
    outputs = Count(kept);
    terms = Count(reduced);
    inner_reduced = kept.empty() || (!reduced.empty() && reduced.back().stride == 1);
    const Loops& inner = inner_reduced ? reduced : kept;
    run = inner.empty() ? 1 : inner.back().size;
    tile = inner_reduced ? 1 : std::min(run, kTileWidth);
    tiles_a_run = inner_reduced ? 1 : (run + tile - 1) / std::max<int64_t>(1, tile);
    tiles = inner_reduced ? outputs : outputs / std::max<int64_t>(1, run) * tiles_a_run;
    chunk = std::max<int64_t>(1, kChunkElements / std::max<int64_t>(1, tile));
    chunks = std::max<int64_t>(1, (terms + chunk - 1) / chunk);
  }

 private:
  void Split(const Shape& shape, int32_t axis_mask) {
    std::vector<int64_t> strides(shape.size(), 1);
    for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
    int previous = -1;  // whether the loop before was a reduced one
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 1) continue;
      const int is_reduced = axis_mask >> i & 1;
      Loops& loops = is_reduced ? reduced : kept;
      if (is_reduced == previous) {
        loops.back() = {loops.back().size * shape[i], strides[i]};
      } else {
        loops.push_back({shape[i], strides[i]});
      }
      previous = is_reduced;
    }
  }
};

template <class T>
using Accumulator = std::conditional_t<kIsInteger<T>, int64_t, double>;

// Sum of a contiguous run, in a fixed order.
template <class T>
Accumulator<T> SumRun(const T* x, int64_t count) {
  Accumulator<T> lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int k = 0; k < kLanes; ++k) lanes[k] += Load(x[i + k]);
  }
  for (int k = 0; i + k < count; ++k) lanes[k] += Load(x[i + k]);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int k = 0; k < width; ++k) lanes[k] += lanes[k + width];
  }
  return lanes[0];
}

// The terms [begin, end) of one output, where runs of terms are contiguous.
template <class T>
void SumTerms(const Reduction& r, const T* x, int64_t begin, int64_t end, Accumulator<T>* partial) {
  Accumulator<T> sum = 0;
  while (begin < end) {
    const int64_t length = std::min(r.run - begin % r.run, end - begin);
    sum += SumRun(x + OffsetOf(r.reduced, begin), length);
    begin += length;
  }
  *partial = sum;
}

// The terms [begin, end) of `width` neighbouring outputs.
template <class T>
void SumTile(const Reduction& r, const T* x, int64_t width, int64_t begin, int64_t end, Accumulator<T>* partial) {
  Accumulator<T> sums[kTileWidth] = {};
  for (int64_t term = begin; term < end; ++term) {
    const T* row = x + OffsetOf(r.reduced, term);
    for (int64_t k = 0; k < width; ++k) sums[k] += Load(row[k]);
  }
  std::copy_n(sums, width, partial);
}

// partials [chunks, outputs]
template <class T>
void SumChunks(const Reduction& r, const T* x, Accumulator<T>* partials) {
  const int64_t elements_a_task = std::max<int64_t>(1, std::min(r.terms, r.chunk) * r.tile);
  const int64_t grain = std::max<int64_t>(1, kChunkElements / elements_a_task);
  ParallelFor(r.tiles * r.chunks, grain, [&](int64_t first, int64_t last) {
    for (int64_t task = first; task < last; ++task) {
      const int64_t chunk = task / r.tiles, tile = task % r.tiles;
      const int64_t in_run = tile % r.tiles_a_run * r.tile;
      const int64_t output = tile / r.tiles_a_run * (r.inner_reduced ? 1 : r.run) + in_run;
      const int64_t begin = chunk * r.chunk, end = std::min(begin + r.chunk, r.terms);
      const T* from = x + OffsetOf(r.kept, output);
      Accumulator<T>* partial = partials + chunk * r.outputs + output;
      if (r.inner_reduced) {
        SumTerms(r, from, begin, end, partial);
      } else {
        SumTile(r, from, std::min(r.tile, r.run - in_run), begin, end, partial);
      }
    }
  });
}

// Integer sums wrap into integer outputs.
template <class Out, class A>
Out Finish(A sum) {
  if constexpr (kIsInteger<Out>) {
    return static_cast<Out>(static_cast<int64_t>(sum));
  } else {
    return Store<Out>(static_cast<float>(sum));
  }
}

// y [outputs]: the sum of the partial sums, divided by `divisor` where there is one.
template <class Out, class A>
void AddChunks(const Reduction& r, const A* partials, int64_t divisor, bool divide, Out* y) {
  ParallelFor(r.outputs, kChunkElements / std::max<int64_t>(1, r.chunks), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      A sum = 0;
      for (int64_t chunk = 0; chunk < r.chunks; ++chunk) sum += partials[chunk * r.outputs + i];
      y[i] = divide ? Finish<Out>(static_cast<double>(sum) / static_cast<double>(divisor)) : Finish<Out>(sum);
    }
  });
}

class ReducePlan : public PlainPlan {
 public:
  ReducePlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, const ReduceParams& params, bool mean)
      : PlainPlan(context, inputs, std::move(plan_outputs)),
        reduction_(inputs[0].shape, params.axis_mask),
        mean_(mean),
        input_type_(inputs[0].dtype) {
    ReserveScratch(static_cast<size_t>(reduction_.outputs * reduction_.chunks) * sizeof(double));
  }

 protected:
  void RunPlain(const void* const* inputs, void* const* out, void* scratch) override {
    const DType output_type = outputs[0].dtype;
    DispatchType(input_type_, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      auto* partials = static_cast<Accumulator<T>*>(scratch);
      SumChunks(reduction_, static_cast<const T*>(inputs[0]), partials);
      DispatchType(output_type, [&](auto output_tag) {
        using Out = typename decltype(output_tag)::Type;
        AddChunks(reduction_, partials, reduction_.terms, mean_, static_cast<Out*>(out[0]));
      });
    });
  }

 private:
  Reduction reduction_;
  bool mean_;
  DType input_type_;
};

PlanPtr PrepareReduce(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs, bool mean) {
  outputs[0] = PlainDesc(outputs[0].dtype, outputs[0].shape);
  return std::make_shared<ReducePlan>(context, inputs, std::move(outputs), std::get<ReduceParams>(op.params), mean);
}

}  // namespace

PlanPtr PrepareSum(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareReduce(context, op, inputs, std::move(outputs), false);
}

PlanPtr PrepareMean(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareReduce(context, op, inputs, std::move(outputs), true);
}

}  // namespace residua::cpu
