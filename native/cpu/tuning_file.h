// Keeps the tuner's choices from one process to the next, in a file of its own for each processor and library version.
#pragma once
#include <map>
#include <string>

namespace residua::cpu {

class TuningFile {
 public:
  // `machine` tells processors and libraries apart. The file: RESIDUA_TUNING_CACHE, a folder, else residua/ in
  // $XDG_CACHE_HOME or ~/.cache; none where that is set to "" or there is no home.
  explicit TuningFile(const std::string& machine);

  // What was kept; lines that cannot be read are left out.
  std::map<std::string, std::string> Load() const;
  // Adds to what is kept. Written to a temporary name, then renamed. A folder that cannot be written to is no error:
  // the next process tunes again.
  void Save(const std::map<std::string, std::string>& choices) const;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace residua::cpu
