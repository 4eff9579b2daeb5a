// Changes of layout, by tables and of whole tiles, against places written out by hand. Prints a line for each: "ok
// NAME", or "not ok NAME: WHY". Ends with 1 if one fails.
#include "cpu/table_reorder.h"
#include "cpu/tile_reorder.h"

#include <cstdio>
#include <string>

#include "cpu/bfloat16_vectors.h"

namespace residua::cpu {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

int64_t Blocks(int64_t count, int64_t block) { return (count + block - 1) / block; }

// A layout of [o, i, h, w], and the place of an element in it.
struct Layout {
  const char* name;
  Tag tag;
  int64_t (*place)(const Dims& d, int64_t o, int64_t i, int64_t h, int64_t w);
};

template <int64_t block>
int64_t Tile(const Dims& d, int64_t o, int64_t i, int64_t h, int64_t w) {
  return (((o / block * Blocks(d[1], block) + i / block) * d[2] + h) * d[3] + w) * block * block;
}

constexpr Layout kLayouts[] = {
    {"oihw", Tag::oihw,
     [](const Dims& d, int64_t o, int64_t i, int64_t h, int64_t w) { return ((o * d[1] + i) * d[2] + h) * d[3] + w; }},
    {"hwio", Tag::hwio,
     [](const Dims& d, int64_t o, int64_t i, int64_t h, int64_t w) { return ((h * d[3] + w) * d[1] + i) * d[0] + o; }},
    {"OIhw16i16o", Tag::OIhw16i16o,
     [](const Dims& d, int64_t o, int64_t i, int64_t h, int64_t w) {
       return Tile<16>(d, o, i, h, w) + i % 16 * 16 + o % 16;
     }},
    {"OIhw16o16i", Tag::OIhw16o16i,
     [](const Dims& d, int64_t o, int64_t i, int64_t h, int64_t w) {
       return Tile<16>(d, o, i, h, w) + o % 16 * 16 + i % 16;
     }},
    {"OIhw8i8o", Tag::OIhw8i8o,
     [](const Dims& d, int64_t o, int64_t i, int64_t h, int64_t w) {
       return Tile<8>(d, o, i, h, w) + i % 8 * 8 + o % 8;
     }},
    {"OIhw8i16o2i", Tag::OIhw8i16o2i,
     [](const Dims& d, int64_t o, int64_t i, int64_t h, int64_t w) {
       return Tile<16>(d, o, i, h, w) + i % 16 / 2 * 32 + o % 16 * 2 + i % 2;
     }},
    {"OIhw8o16i2o", Tag::OIhw8o16i2o,
     [](const Dims& d, int64_t o, int64_t i, int64_t h, int64_t w) {
       return Tile<16>(d, o, i, h, w) + o % 16 / 2 * 32 + i % 16 * 2 + o % 2;
     }},
};

const Dims kSizes[] = {{1, 1, 1, 1},   {1, 1, 1, 2},   {20, 37, 3, 3}, {17, 3, 2, 3},
                       {16, 32, 1, 1}, {48, 32, 3, 2}, {33, 16, 1, 2}};

// Elements of either type, as floats.
class Elements {
 public:
  Elements(const MemoryDesc& desc, float value) : is_half_(DataTypeOf(desc) == Type::bf16) {
    bytes_.resize(desc.get_size());
    for (int64_t i = 0; i < count(); ++i) Set(i, value);
  }
  int64_t count() const { return static_cast<int64_t>(bytes_.size() / (is_half_ ? 2 : 4)); }
  void* data() { return bytes_.data(); }
  float Get(int64_t i) const {
    return is_half_ ? ToFloat(reinterpret_cast<const BFloat16*>(bytes_.data())[i])
                    : reinterpret_cast<const float*>(bytes_.data())[i];
  }
  void Set(int64_t i, float value) {
    if (is_half_)
      reinterpret_cast<BFloat16*>(bytes_.data())[i] = ToBFloat16(value);
    else
      reinterpret_cast<float*>(bytes_.data())[i] = value;
  }

 private:
  bool is_half_;
  std::vector<char> bytes_;
};

// A change of layout: how it lies before, how it must lie after.
struct Change {
  MemoryDesc from, to;
  Elements given, expected;
  Change(const Dims& d, const Layout& source, Type from_type, const Layout& target, Type to_type)
      : from(d, from_type, source.tag), to(d, to_type, target.tag), given(from, 0), expected(to, 0) {
    // From float32 to bfloat16 most of them are rounded.
    const float step = from_type == Type::f32 ? 1.0f / 1024 : 1;
    int64_t count = 0;
    for (int64_t o = 0; o < d[0]; ++o) {
      for (int64_t i = 0; i < d[1]; ++i) {
        for (int64_t h = 0; h < d[2]; ++h) {
          for (int64_t w = 0; w < d[3]; ++w) {
            const float value = static_cast<float>(1 + count % 250) + step * static_cast<float>(count % 777 % 250);
            ++count;
            const int64_t at = source.place(d, o, i, h, w);
            given.Set(at, value);
            expected.Set(target.place(d, o, i, h, w), given.Get(at));
          }
        }
      }
    }
  }

  // Why the result of run(from, to) is wrong, or nothing.
  template <class Run>
  std::string Check(const char* by, const Run& run) {
    Elements found(to, -1);
    run(given.data(), found.data());
    for (int64_t i = 0; i < expected.count(); ++i) {
      if (found.Get(i) == expected.Get(i)) continue;
      return std::string(by) + ": element " + std::to_string(i) + " is " + std::to_string(found.Get(i)) +
             ", expected " + std::to_string(expected.Get(i));
    }
    return "";
  }
};

// Whether whole tiles are to be moved by instructions that this processor has.
bool MovesTiles(const Change& change, Type from_type, Type to_type) {
  const auto from = TileLayout::Of(change.from), to = TileLayout::Of(change.to);
  if (!from || !to || from->order.in_pairs) return false;
  if (to_type == Type::bf16) return HasBFloat16Vectors();
  return from_type == Type::f32 && !to->order.in_pairs && HasMultiplyAdd(DType::kFloat32);
}

std::string Check(const Dims& d, const Layout& from, Type from_type, const Layout& to, Type to_type) {
  Change change(d, from, from_type, to, to_type);
  const TableReorder by_tables(change.from, change.to);
  const auto by_tiles = TileReorder::Of(change.from, change.to);
  if (by_tiles.has_value() != MovesTiles(change, from_type, to_type)) return "by tiles: unexpectedly possible or not";
  std::string why = change.Check("by tables", [&](const void* given, void* found) { by_tables.Run(given, found); });
  if (why.empty() && by_tiles) {
    why = change.Check("by tiles", [&](const void* given, void* found) { by_tiles->Run(given, found); });
  }
  return why;
}

// For all sizes and types.
bool Test(const Layout& from, const Layout& to) {
  std::string wrong;
  for (const Dims& d : kSizes) {
    for (const Type from_type : {Type::f32, Type::bf16}) {
      for (const Type to_type : {Type::f32, Type::bf16}) {
        const std::string why = Check(d, from, from_type, to, to_type);
        if (why.empty()) continue;
        const auto name = [](Type type) { return type == Type::f32 ? "float32" : "bfloat16"; };
        wrong = std::string(name(from_type)) + " to " + name(to_type) + " of " + std::to_string(d[0]) + " x " +
                std::to_string(d[1]) + " channels, " + std::to_string(d[2]) + " x " + std::to_string(d[3]) + ": " + why;
      }
    }
  }
  std::printf("%s %s to %s%s%s\n", wrong.empty() ? "ok" : "not ok", from.name, to.name, wrong.empty() ? "" : ": ",
              wrong.c_str());
  return wrong.empty();
}

}  // namespace
}  // namespace residua::cpu

int main() {
  using namespace residua::cpu;
  bool all_pass = true;
  for (const Layout& from : kLayouts) {
    for (const Layout& to : kLayouts) all_pass &= Test(from, to);
  }
  return all_pass ? 0 : 1;
}
