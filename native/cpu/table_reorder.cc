// Changes of layout by residua's own loops.
#include "cpu/table_reorder.h"

#include <algorithm>
#include <numeric>

#include "cpu/half_types.h"
#include "cpu/openmp_threads.h"
#include "cpu/parallel_for.h"

namespace residua::cpu {
namespace {

using Type = dnnl::memory::data_type;

// What index `index` of a dimension adds to an element's place.
int64_t PlaceOf(const Blocking& blocking, size_t dimension, int64_t index) {
  int64_t place = 0, inner_stride = 1;
  for (size_t i = blocking.inner_blocks.size(); i-- > 0; inner_stride *= blocking.inner_blocks[i]) {
    if (blocking.inner_dims[i] != static_cast<int64_t>(dimension)) continue;
    place += index % blocking.inner_blocks[i] * inner_stride;
    index /= blocking.inner_blocks[i];
  }
  return place + index * blocking.strides[dimension];
}

std::vector<std::vector<int64_t>> PlacesOf(const Blocking& blocking, const Dims& counts) {
  std::vector<std::vector<int64_t>> places(counts.size());
  for (size_t d = 0; d < counts.size(); ++d) {
    for (int64_t index = 0; index < counts[d]; ++index) places[d].push_back(PlaceOf(blocking, d, index));
  }
  return places;
}

inline void Convert(float from, float* to) { *to = from; }
inline void Convert(float from, BFloat16* to) { *to = ToBFloat16(from); }
inline float Widened(float value) { return value; }
inline float Widened(BFloat16 value) { return ToFloat(value); }

bool IsFloat(Type type) { return type == Type::f32 || type == Type::bf16; }

// The result of one small change of the kind.
bool LosesElements(const dnnl::engine& engine) {
  using Tag = dnnl::memory::format_tag;
  const OpenMpThreads one(1);  // this may be the caller's thread, which has none of its own
  const Dims dims{17, 17, 2, 3};
  const MemoryDesc plain(dims, Type::f32, Tag::oihw), blocked(dims, Type::f32, Tag::OIhw16i16o);
  std::vector<float> from(plain.get_size() / sizeof(float)), expected(blocked.get_size() / sizeof(float));
  std::iota(from.begin(), from.end(), 1.0f);
  std::vector<float> to(expected.size(), -1.0f);
  TableReorder(plain, blocked).Run(from.data(), expected.data());
  dnnl::stream stream(engine);
  dnnl::memory source(plain, engine, from.data()), target(blocked, engine, to.data());
  dnnl::reorder(source, target).execute(stream, source, target);
  stream.wait();
  return to != expected;
}

}  // namespace

TableReorder::TableReorder(const MemoryDesc& from, const MemoryDesc& to)
    : from_type_(DataTypeOf(from)), to_type_(DataTypeOf(to)) {
  const Blocking target = BlockingOf(to);
  from_ = PlacesOf(BlockingOf(from), DimsOf(from));
  to_ = PlacesOf(target, target.padded_dims);
  for (int64_t& place : from_[0]) place += FirstElementOf(from);
  for (int64_t& place : to_[0]) place += FirstElementOf(to);
}

void TableReorder::Run(const void* from, void* to) const {
  const auto read = [&](const auto* elements) {
    if (to_type_ == Type::bf16) return Copy(elements, static_cast<BFloat16*>(to));
    Copy(elements, static_cast<float*>(to));
  };
  if (from_type_ == Type::bf16) return read(static_cast<const BFloat16*>(from));
  read(static_cast<const float*>(from));
}

template <class From, class To>
void TableReorder::Copy(const From* from, To* to) const {
  ParallelFor(static_cast<int64_t>(to_[0].size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto index = static_cast<size_t>(i);
      const bool is_inside = index < from_[0].size();
      CopyFrom(1, is_inside, is_inside ? from + from_[0][index] : from, to + to_[0][index]);
    }
  });
}

// The elements from this dimension on; 0 where an index before it is not `is_inside`.
template <class From, class To>
void TableReorder::CopyFrom(size_t dimension, bool is_inside, const From* from, To* to) const {
  if (dimension == to_.size()) return Convert(is_inside ? Widened(*from) : 0.0f, to);
  const std::vector<int64_t>&of_from = from_[dimension], &of_to = to_[dimension];
  for (size_t i = 0; i < of_to.size(); ++i) {
    const bool is_here = is_inside && i < of_from.size();
    CopyFrom(dimension + 1, is_here, is_here ? from + of_from[i] : from, to + of_to[i]);
  }
}

bool NeedsTableReorder(const dnnl::engine& engine, const MemoryDesc& from, const MemoryDesc& to) {
  const Blocking source = BlockingOf(from), target = BlockingOf(to);
  if (!source.valid || !target.valid || target.padded_dims == target.dims) return false;
  if (std::max(source.inner_blocks.size(), target.inner_blocks.size()) < 2) return false;
  if (!IsFloat(DataTypeOf(from)) || !IsFloat(DataTypeOf(to))) return false;
  static const bool loses_elements = LosesElements(engine);
  return loses_elements;
}

}  // namespace residua::cpu
