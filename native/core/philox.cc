// The counter-based generator Philox 4x32-10 and the distributions drawn from it.
#include "core/philox.h"

#include <algorithm>
#include <cmath>

namespace residua {

namespace {

constexpr uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;  // added to the key after each round
constexpr int kRounds = 10;

// The words of a stream, one after the other.
class Words {
 public:
  Words(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {}

  uint32_t Next() {
    if (used_ == 4) {
      block_ = Philox(seed_, stream_, index_++);
      used_ = 0;
    }
    return block_[used_++];
  }

  // Even over 0 .. bound - 1 (Lemire, "Fast random integer generation in an interval", 2019).
  uint32_t Below(uint32_t bound) {
    const uint32_t threshold = (0u - bound) % bound;
    for (;;) {
      const uint64_t product = uint64_t{Next()} * bound;
      if (static_cast<uint32_t>(product) >= threshold) return static_cast<uint32_t>(product >> 32);
    }
  }

 private:
  uint64_t seed_, stream_, index_ = 0;
  std::array<uint32_t, 4> block_{};
  size_t used_ = 4;
};

// Two independent standard normal values.
std::array<double, 2> BoxMuller(uint32_t a, uint32_t b) {
  constexpr double kTwoPi = 6.283185307179586476925;
  const double u = (a + 1.0) * 0x1p-32;  // (0, 1]
  const double v = b * 0x1p-32;          // [0, 1)
  const double radius = std::sqrt(-2.0 * std::log(u));
  return {radius * std::cos(kTwoPi * v), radius * std::sin(kTwoPi * v)};
}

}  // namespace

std::array<uint32_t, 4> Philox(uint64_t seed, uint64_t stream, uint64_t index) {
  std::array<uint32_t, 4> c = {static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32),
                               static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32)};
  auto k0 = static_cast<uint32_t>(seed);
  auto k1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t p0 = uint64_t{kMultiplier0} * c[0];
    const uint64_t p1 = uint64_t{kMultiplier1} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  return c;
}

void FillUniform(float* out, size_t count, uint64_t seed, uint64_t stream, double low, double high) {
  // Rounding to float must not reach `high`.
  const float largest =
      low < high ? std::nextafter(static_cast<float>(high), static_cast<float>(low)) : static_cast<float>(low);
  for (size_t i = 0; i < count; i += 4) {
    const auto words = Philox(seed, stream, i / 4);
    for (size_t k = 0; k < std::min<size_t>(4, count - i); ++k) {
      const double unit = (words[k] >> 8) * 0x1p-24;  // [0, 1)
      out[i + k] = std::min(static_cast<float>(low + (high - low) * unit), largest);
    }
  }
}

void FillNormal(float* out, size_t count, uint64_t seed, uint64_t stream, double mean, double std) {
  for (size_t i = 0; i < count; i += 4) {
    const auto words = Philox(seed, stream, i / 4);
    const auto first = BoxMuller(words[0], words[1]);
    const auto second = BoxMuller(words[2], words[3]);
    const double values[4] = {first[0], first[1], second[0], second[1]};
    for (size_t k = 0; k < std::min<size_t>(4, count - i); ++k) out[i + k] = static_cast<float>(mean + std * values[k]);
  }
}

void FillPermutation(int32_t* out, size_t count, uint64_t seed, uint64_t stream) {
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<int32_t>(i);
  Words words(seed, stream);
  for (size_t i = count; i > 1; --i) std::swap(out[i - 1], out[words.Below(static_cast<uint32_t>(i))]);
}

}  // namespace residua
