// Checks which sizes of caches oneDNN is given.
#include <cstdio>
#include <string>

#include "cpu/onednn_cache_size.h"

namespace {

bool all_pass = true;

void Report(bool passes, const std::string& name, const std::string& found) {
  std::printf("%s %s%s%s\n", passes ? "ok" : "not ok", name.c_str(), passes ? "" : ": found ",
              passes ? "" : found.c_str());
  all_pass &= passes;
}

}  // namespace

int main() {
  using residua::cpu::CacheSize;
  struct Level {
    int level;
    size_t smallest, largest;  // of any processor, in bytes
    size_t found;  // by oneDNN: neither what the system says on a usual processor nor what is taken without it
  };
  const Level levels[] = {
      {1, 8 << 10, 256 << 10, 40 << 10}, {2, 64 << 10, 64 << 20, 3 << 20}, {3, 64 << 10, 1u << 30, 5 << 20}};
  for (const Level& of : levels) {
    const std::string name = "level " + std::to_string(of.level) + ": ";
    const size_t kept = CacheSize(of.level, of.found);
    Report(kept == of.found, name + "what oneDNN found is kept", std::to_string(kept));
    for (const size_t wrong : {0, 1, 1024}) {
      const size_t size = CacheSize(of.level, wrong);
      Report(size >= of.smallest && size <= of.largest, name + std::to_string(wrong) + " bytes are not believed",
             std::to_string(size));
    }
  }
  for (const int level : {0, 4, -1}) {
    const size_t size = CacheSize(level, 0);
    Report(size == 0, "level " + std::to_string(level) + " does not exist", std::to_string(size));
  }
  return all_pass ? 0 : 1;
}
