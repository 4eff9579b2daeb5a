// Execution plans on disk. A file holds a title, a checksum of the rest, then key, engine and plan, each after its
// size: the key is compared in full, so that two with the same file name cannot be taken for one another.
#include "cuda/plan_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace residua::cuda {
namespace {

constexpr char kTitle[] = "residua cuDNN plan 1\n";

// FNV-1a.
uint64_t HashOf(const std::string& text) {
  uint64_t hash = 14695981039346656037u;
  for (const unsigned char c : text) hash = (hash ^ c) * 1099511628211u;
  return hash;
}

std::string Hex(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

std::string Sized(const std::string& text) { return std::to_string(text.size()) + "\n" + text + "\n"; }

// Takes one Sized text off the front of `rest`.
bool TakeSized(std::string* rest, std::string* text) {
  const size_t end = rest->find('\n');
  if (end == std::string::npos || end == 0 || end > 12) return false;
  char* digits_end = nullptr;
  const size_t size = std::strtoull(rest->c_str(), &digits_end, 10);
  if (digits_end != rest->c_str() + end || rest->size() < end + 1 + size + 1) return false;
  *text = rest->substr(end + 1, size);
  rest->erase(0, end + 1 + size + 1);
  return true;
}

std::string Encode(const std::string& key, const PlanStore::Entry& entry) {
  const std::string body = Sized(key) + Sized(entry.engine) + Sized(entry.json);
  return kTitle + Hex(HashOf(body)) + "\n" + body;
}

bool Decode(std::string file, const std::string& key, PlanStore::Entry* entry) {
  const size_t title = std::strlen(kTitle), head = title + 17;
  if (file.size() < head || file.compare(0, title, kTitle) != 0) return false;
  const std::string checksum = file.substr(title, 16);
  file.erase(0, head);
  std::string stored_key;
  return checksum == Hex(HashOf(file)) && TakeSized(&file, &stored_key) && stored_key == key &&
         TakeSized(&file, &entry->engine) && TakeSized(&file, &entry->json);
}

// False where that fails at any point. Not a stream: its buffer throws where the path is a folder.
bool ReadWhole(const std::string& path, std::string* bytes) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return false;
  char block[1 << 16];
  for (size_t n = 0; (n = std::fread(block, 1, sizeof block, file)) > 0;) bytes->append(block, n);
  const bool whole = std::ferror(file) == 0;
  std::fclose(file);
  return whole;
}

// Writes the whole file and waits until it is on the disk.
bool WriteSynced(const std::string& path, const std::string& bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return false;
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = ::write(file, bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    written += static_cast<size_t>(n);
  }
  const bool synced = written == bytes.size() && ::fsync(file) == 0;
  return ::close(file) == 0 && synced;
}

// Other processes, and other threads of this one, write elsewhere.
std::string TemporaryNameFor(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return path + "." + std::to_string(::getpid()) + "." + std::to_string(counter++) + ".tmp";
}

}  // namespace

std::string PlanStore::PathOf(const std::string& key) const { return folder_ + "/" + Hex(HashOf(key)) + ".plan"; }

bool PlanStore::Load(const std::string& key, Entry* entry) const {
  if (folder_.empty()) return false;
  std::string file;
  return ReadWhole(PathOf(key), &file) && Decode(std::move(file), key, entry);
}

void PlanStore::Save(const std::string& key, const Entry& entry) {
  if (folder_.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  const std::string path = PathOf(key), temporary = TemporaryNameFor(path);
  if (WriteSynced(temporary, Encode(key, entry)) && std::rename(temporary.c_str(), path.c_str()) == 0) return;
  const std::string reason = std::strerror(errno);
  std::remove(temporary.c_str());
  if (warned_) return;
  warned_ = true;
  std::fprintf(stderr,
               "residua: plans of cuDNN cannot be kept in %s (%s): each process makes them anew. RESIDUA_CUDNN_PLANS "
               "names another folder.\n",
               folder_.c_str(), reason.c_str());
}

}  // namespace residua::cuda
