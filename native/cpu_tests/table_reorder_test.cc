// Changes of layout by tables against places written out by hand. Prints a line for each: "ok NAME", or "not ok NAME:
// WHY". Ends with 1 if one fails.
#include "cpu/table_reorder.h"

#include <cstdio>
#include <string>

#include "cpu/half_types.h"

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
};

const Dims kSizes[] = {{1, 1, 1, 1}, {1, 1, 1, 2}, {20, 37, 3, 3}, {17, 3, 2, 3}, {16, 32, 1, 1}, {33, 16, 1, 2}};

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

// Why the change is wrong, or nothing. Values are whole numbers that either type holds, and not 0.
std::string Check(const Dims& d, const Layout& from, Type from_type, const Layout& to, Type to_type) {
  const MemoryDesc source(d, from_type, from.tag), target(d, to_type, to.tag);
  Elements given(source, 0), expected(target, 0), found(target, -1);
  float value = 0;
  for (int64_t o = 0; o < d[0]; ++o) {
    for (int64_t i = 0; i < d[1]; ++i) {
      for (int64_t h = 0; h < d[2]; ++h) {
        for (int64_t w = 0; w < d[3]; ++w) {
          value = value < 250 ? value + 1 : 1;
          given.Set(from.place(d, o, i, h, w), value);
          expected.Set(to.place(d, o, i, h, w), value);
        }
      }
    }
  }
  TableReorder(source, target).Run(given.data(), found.data());
  for (int64_t i = 0; i < expected.count(); ++i) {
    if (found.Get(i) == expected.Get(i)) continue;
    return "element " + std::to_string(i) + " is " + std::to_string(found.Get(i)) + ", expected " +
           std::to_string(expected.Get(i));
  }
  return "";
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
