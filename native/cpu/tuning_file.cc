// Keeps the tuner's choices from one process to the next.
#include "cpu/tuning_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace residua::cpu {
namespace {

namespace fs = std::filesystem;

// With a version, of the lines' form and of the algorithms that were timed: files of another one are not read.
constexpr const char* kName = "/convolutions-10-";

// "" for none.
std::string Folder() {
  if (const char* chosen = std::getenv("RESIDUA_TUNING_CACHE")) return chosen;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache) return std::string(cache) + "/residua";
  if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.cache/residua";
  return "";
}

// FNV-1a, for a file name.
std::string HashText(const std::string& text) {
  uint64_t hash = 1469598103934665603u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  char hex[17];
  std::snprintf(hex, sizeof(hex), "%016llx", static_cast<unsigned long long>(hash));
  return hex;
}

bool WriteSynced(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return false;
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(file) == 0;
  return close(file) == 0 && written;
}

}  // namespace

TuningFile::TuningFile(const std::string& machine) {
  const std::string folder = Folder();
  if (!folder.empty()) path_ = folder + kName + HashText(machine) + ".txt";
}

std::map<std::string, std::string> TuningFile::Load() const {
  std::map<std::string, std::string> choices;
  std::ifstream file(path_);
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string key, choice;
    if (std::getline(fields, key, '\t') && !key.empty() && fields >> choice && fields.eof()) choices[key] = choice;
  }
  return choices;
}

void TuningFile::Save(const std::map<std::string, std::string>& choices) const {
  if (path_.empty()) return;
  std::error_code error;
  fs::create_directories(fs::path(path_).parent_path(), error);
  std::map<std::string, std::string> all = Load();  // another process may have added to it
  for (const auto& [key, choice] : choices) all[key] = choice;
  std::string text;
  for (const auto& [key, choice] : all) text += key + '\t' + choice + '\n';
  const std::string temporary = path_ + '.' + std::to_string(getpid());
  if (WriteSynced(temporary, text)) fs::rename(temporary, path_, error);
  if (error || fs::exists(temporary, error)) fs::remove(temporary, error);
}

}  // namespace residua::cpu
