// Winograd's algorithm in float32 by AVX2 instructions: its products and transforms.
#include "cpu/float_vectors_avx2.h"
#include "cpu/winograd_float32.h"

namespace residua::cpu {

const WinogradCode<float>* WinogradByAvx2() { return CodeInFloat32<2, 384 << 10>(); }

}  // namespace residua::cpu
