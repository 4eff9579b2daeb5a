// The choice of the scheme, and of the vectors.
#include "cpu/winograd_transforms.h"

#include "cpu/cpu_info.h"

namespace residua::cpu {

template <class Element>
const WinogradScheme<Element>& WinogradCode<Element>::SchemeFor(const BlockedImage& read, const BlockedImage& written,
                                                                const Dims& padding) const {
  const auto suits = [&](int64_t side) {
    return side == 0 || (read.height == side && read.width == side && written.height == side && written.width == side &&
                         padding == Dims{1, 1});
  };
  const WinogradScheme<Element>* best = nullptr;
  int64_t fewest = 0;
  for (const WinogradScheme<Element>& scheme : schemes) {
    const int64_t multiplications = GridOver(written, scheme.tile_side).tiles() * scheme.points;
    if (!suits(scheme.only_side) || (best && multiplications >= fewest)) continue;
    best = &scheme;
    fewest = multiplications;
  }
  return *best;
}

template struct WinogradCode<BFloat16>;
template struct WinogradCode<float>;

const WinogradCode<float>* WinogradInFloat32() {
  if (HasInstructions(dnnl_cpu_isa_avx512_core)) return WinogradByAvx512();
  return HasInstructions(dnnl_cpu_isa_avx2) ? WinogradByAvx2() : nullptr;
}

}  // namespace residua::cpu
