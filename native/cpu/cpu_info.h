// What this processor and its libraries can do, for people and for the choice of types.
#pragma once
#include <string>

#include "cpu/onednn.h"

namespace residua::cpu {

// The instruction set that oneDNN uses: "AVX-512 with bfloat16".
std::string InstructionSet();
// "AMD EPYC", with the instruction set where the system names no model.
std::string ProcessorName();
// The OpenMP library that is loaded: "libgomp.so.1".
std::string OpenMpRuntime();
// Whether oneDNN uses these instructions: the processor has them and nothing rules them out (ONEDNN_MAX_CPU_ISA).
bool HasInstructions(dnnl_cpu_isa_t needed);
// Whether oneDNN has convolutions of bfloat16 here.
bool HasBFloat16(const dnnl::engine& engine);

}  // namespace residua::cpu
