// Numbers of bytes as people write them.
#pragma once
#include <cstddef>
#include <string>

namespace residua {

// "1.7 GiB"
std::string FormatBytes(size_t bytes);

// "8GiB", "1.5 GiB", "512 MiB", "100KiB", "1000"; false for any other text.
bool ParseBytes(const std::string& text, size_t* bytes);

}  // namespace residua
