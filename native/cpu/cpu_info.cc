// What this processor and its libraries can do.
#include "cpu/cpu_info.h"

#include <dlfcn.h>
#include <omp.h>

#include <cstdio>
#include <fstream>

namespace residua::cpu {

std::string InstructionSet() {
  struct Row {
    int isa;
    const char* name;
  };
  static const Row kRows[] = {
      {dnnl_cpu_isa_sse41, "SSE4.1"},
      {dnnl_cpu_isa_avx, "AVX"},
      {dnnl_cpu_isa_avx2, "AVX2"},
      {dnnl_cpu_isa_avx2_vnni, "AVX2 with VNNI"},
      {dnnl_cpu_isa_avx512_core, "AVX-512"},
      {dnnl_cpu_isa_avx512_core_vnni, "AVX-512 with VNNI"},
      {dnnl_cpu_isa_avx512_core_bf16, "AVX-512 with bfloat16"},
      {dnnl_cpu_isa_avx512_core_amx, "AVX-512 with AMX"},
  };
  const int isa = static_cast<int>(dnnl::get_effective_cpu_isa());
  for (const Row& row : kRows) {
    if (row.isa == isa) return row.name;
  }
  char text[16];
  std::snprintf(text, sizeof(text), "0x%x", static_cast<unsigned>(isa));
  return std::string("oneDNN's number ") + text;  // newer than this list, or no x86
}

bool HasInstructions(dnnl_cpu_isa_t needed) {
  return (static_cast<int>(dnnl::get_effective_cpu_isa()) & needed) == needed;
}

std::string ProcessorName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2) + ", " + InstructionSet();
  }
  return InstructionSet();
}

std::string OpenMpRuntime() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<void*>(&omp_get_max_threads), &info) || !info.dli_fname) return "unknown";
  const std::string path = info.dli_fname;
  return path.substr(path.rfind('/') + 1);
}

bool HasBFloat16(const dnnl::engine& engine) {
  using Type = dnnl::memory::data_type;
  using Tag = dnnl::memory::format_tag;
  const MemoryDesc image({1, 16, 4, 4}, Type::bf16, Tag::any), weights({16, 16, 1, 1}, Type::bf16, Tag::any);
  try {
    MakeDesc<dnnl::convolution_forward>(engine, UserScratchpad(), dnnl::prop_kind::forward_training,
                                        dnnl::algorithm::convolution_direct, image, weights, image, Dims{1, 1},
                                        Dims{0, 0}, Dims{0, 0}, Dims{0, 0});
    return true;
  } catch (const dnnl::error&) {
    return false;
  }
}

}  // namespace residua::cpu
