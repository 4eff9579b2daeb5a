// Reads the emulated device's description from the environment.
#include "cuda_emulation/settings.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cuda_runtime_api.h"

namespace residua::cuda_emulation {
namespace {

// A number with a unit (KiB, MiB, GiB) or none. Anything else ends the program: a test with a typo must not pass.
long long Number(const char* name, long long usual) {
  const char* text = std::getenv(name);
  if (text == nullptr || text[0] == '\0') return usual;
  char* end = nullptr;
  const long long value = std::strtoll(text, &end, 10);
  if (end != text && value >= 0) {
    if (std::strcmp(end, "") == 0) return value;
    if (std::strcmp(end, "KiB") == 0) return value << 10;
    if (std::strcmp(end, "MiB") == 0) return value << 20;
    if (std::strcmp(end, "GiB") == 0) return value << 30;
  }
  std::fprintf(stderr, "cuda emulation: %s must be a number, or a number of KiB, MiB or GiB; it is '%s'.\n", name,
               text);
  std::abort();
}

}  // namespace

int DeviceCount() { return static_cast<int>(Number("RESIDUA_EMULATED_DEVICES", 1)); }
int DriverVersion() { return static_cast<int>(Number("RESIDUA_EMULATED_DRIVER", CUDART_VERSION)); }
size_t DeviceMemory() { return static_cast<size_t>(Number("RESIDUA_EMULATED_MEMORY", 8LL << 30)); }
bool AllowsTf32Rounding() { return Number("RESIDUA_EMULATED_TF32", 0) != 0; }

}  // namespace residua::cuda_emulation
