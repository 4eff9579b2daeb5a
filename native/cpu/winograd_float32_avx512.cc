// Winograd's algorithm in float32 by AVX-512 instructions: its products and transforms.
#include "cpu/float_vectors_avx512.h"
#include "cpu/winograd_float32.h"

namespace residua::cpu {

const WinogradCode<float>* WinogradByAvx512() { return CodeInFloat32<4, 640 << 10>(); }

}  // namespace residua::cpu
