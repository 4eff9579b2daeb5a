// Numbers of bytes as people write them.
#include "core/bytes.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace residua {

namespace {

constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

}  // namespace

std::string FormatBytes(size_t bytes) {
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof(text), unit ? "%.1f %s" : "%.0f %s", value, kUnits[unit]);
  return text;
}

bool ParseBytes(const std::string& text, size_t* bytes) {
  const size_t number_end = text.find_first_not_of("0123456789.");
  if (number_end == 0 || text.empty()) return false;
  const std::string number = text.substr(0, number_end);
  char* parsed_end = nullptr;
  double value = std::strtod(number.c_str(), &parsed_end);
  if (*parsed_end != '\0') return false;
  const size_t unit_begin = text.find_first_not_of(' ', number.size());
  const std::string unit = unit_begin == std::string::npos ? "B" : text.substr(unit_begin);
  for (const char* known : kUnits) {
    if (unit == known) {
      if (value >= 0x1p63) return false;
      *bytes = static_cast<size_t>(value);
      return true;
    }
    value *= 1024;
  }
  return false;
}

}  // namespace residua
