// The code for blocks of 16 channels as AVX-512 has it, by AVX2 instructions.
#include "cpu/winograd_transforms.h"
#include "cpu_tests/float_vectors_halves.h"
// After the vectors, for which it is compiled.
#include "cpu/winograd_float32.h"

namespace residua::cpu {

const WinogradCode<float>* WinogradByHalves() { return CodeInFloat32<4, 640 << 10>(); }

}  // namespace residua::cpu
