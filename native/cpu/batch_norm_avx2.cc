// BatchNorm in float32 by AVX2 instructions.
#include "cpu/cpu_info.h"
#include "cpu/float_vectors_avx2.h"

#if defined(RESIDUA_VECTOR_TARGET)
#include "cpu/batch_norm_kernels.h"

namespace residua::cpu {

const BatchNormCode<float>* BatchNormByAvx2() {
  return HasInstructions(dnnl_cpu_isa_avx2) ? &NormKernels<float>::kCode : nullptr;
}

}  // namespace residua::cpu

#else
#include "cpu/batch_norm_code.h"

namespace residua::cpu {
const BatchNormCode<float>* BatchNormByAvx2() { return nullptr; }
}  // namespace residua::cpu

#endif
