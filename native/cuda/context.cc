// The options of the CUDA backend, from the environment.
#include "cuda/context.h"

#include <cstdlib>

#include "core/bytes.h"
#include "core/error.h"

namespace residua::cuda {

namespace {

// "" where it is not set.
std::string Variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

[[noreturn]] void FailVariable(const char* name, const char* expected, const std::string& found) {
  throw Error(ErrorCode::kConfig, std::string(name) + " expected " + expected + ", got '" + found + "'.",
              {{"variable", name}, {"expected", expected}, {"found", found}});
}

bool Switch(const char* name, bool otherwise) {
  const std::string text = Variable(name);
  if (text.empty()) return otherwise;
  if (text == "0" || text == "1") return text == "1";
  FailVariable(name, "0 or 1", text);
}

size_t Bytes(const char* name) {
  const std::string text = Variable(name);
  size_t bytes = 0;
  if (!text.empty() && (!ParseBytes(text, &bytes) || bytes == 0)) {
    FailVariable(name, "a number of bytes such as 8GiB or 512MiB", text);
  }
  return bytes;
}

// RESIDUA_CUDNN_PLANS; where it is not set, the user's cache folder.
std::string PlanFolder() {
  if (std::getenv("RESIDUA_CUDNN_PLANS") != nullptr) return Variable("RESIDUA_CUDNN_PLANS");
#ifdef RESIDUA_CUDA_EMULATION
  return "";  // tests leave nothing behind
#else
  const std::string cache = Variable("XDG_CACHE_HOME"), home = Variable("HOME");
  if (!cache.empty()) return cache + "/residua/cudnn-plans";
  return home.empty() ? "" : home + "/.cache/residua/cudnn-plans";
#endif
}

}  // namespace

CudaOptions CudaOptions::FromEnvironment() {
  CudaOptions options;
  options.allow_tf32 = Switch("RESIDUA_TF32", options.allow_tf32);
  options.cudnn_benchmark = Switch("RESIDUA_CUDNN_BENCHMARK", options.cudnn_benchmark);
  options.cuda_graphs = Switch("RESIDUA_CUDA_GRAPHS", options.cuda_graphs);
  options.memory_limit = Bytes("RESIDUA_GPU_MEMORY_LIMIT");
  options.plan_folder = PlanFolder();
  return options;
}

}  // namespace residua::cuda
