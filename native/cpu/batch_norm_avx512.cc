// BatchNorm by AVX-512 instructions, in float32 and bfloat16.
#include "cpu/float_vectors_avx512.h"

#if defined(RESIDUA_VECTOR_TARGET)
#include "cpu/batch_norm_kernels.h"

namespace residua::cpu {

const BatchNormCode<float>* BatchNormByAvx512() {
  return HasInstructions(dnnl_cpu_isa_avx512_core) ? &NormKernels<float>::kCode : nullptr;
}
const BatchNormCode<BFloat16>* BatchNormInBFloat16() {
  return HasBFloat16Vectors() ? &NormKernels<BFloat16>::kCode : nullptr;
}

}  // namespace residua::cpu

#else
#include "cpu/batch_norm_code.h"

namespace residua::cpu {
const BatchNormCode<float>* BatchNormByAvx512() { return nullptr; }
const BatchNormCode<BFloat16>* BatchNormInBFloat16() { return nullptr; }
}  // namespace residua::cpu

#endif
