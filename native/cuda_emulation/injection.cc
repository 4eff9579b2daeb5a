// Counts calls and makes the requested one fail.
#include "cuda_emulation/injection.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

namespace residua::cuda_emulation {
namespace {

struct Request {
  std::string function;  // "": none
  int64_t nth = 0;
  int status = 0;
};

struct Injection {
  std::mutex mutex;
  std::string environment;  // the text that `request` was made from
  Request request;
  std::map<std::string, int64_t, std::less<>> calls;
  int64_t all_calls = 0;
};

Injection& State() {
  static auto* state = new Injection;  // never destroyed: threads may call until the process ends
  return *state;
}

// "function:nth" or "function:nth:status". Anything else ends the program: a test with a typo must not pass.
Request Parse(const std::string& text) {
  Request request;
  if (text.empty()) return request;
  char function[128];
  long long nth = 0;
  int read = 0;
  const int fields = std::sscanf(text.c_str(), "%127[^:]:%lld%n:%d%n", function, &nth, &read, &request.status, &read);
  if (fields < 2 || nth < 1 || static_cast<size_t>(read) != text.size()) {
    std::fprintf(stderr, "cuda emulation: RESIDUA_EMULATED_FAULT must be function:nth[:status]; it is '%s'.\n",
                 text.c_str());
    std::abort();
  }
  request.function = function;
  request.nth = nth;
  return request;
}

void Restart(Injection* state, Request request) {
  state->request = std::move(request);
  state->calls.clear();
  state->all_calls = 0;
}

void FollowEnvironment(Injection* state) {
  const char* text = std::getenv("RESIDUA_EMULATED_FAULT");
  if (state->environment == (text == nullptr ? "" : text)) return;
  state->environment = text == nullptr ? "" : text;
  Restart(state, Parse(state->environment));
}

// Appends a line to the file that the variable names, if any.
void AppendTo(const char* variable, const std::string& line) {
  const char* path = std::getenv(variable);
  if (path == nullptr) return;
  std::FILE* file = std::fopen(path, "a");
  if (file == nullptr) return;
  std::fprintf(file, "%s\n", line.c_str());
  std::fclose(file);
}

}  // namespace

int InjectedFault(const char* function, int usual) {
  Injection& state = State();
  const std::lock_guard<std::mutex> lock(state.mutex);
  FollowEnvironment(&state);
  const int64_t own_calls = ++state.calls[function];
  const int64_t all_calls = ++state.all_calls;
  AppendTo("RESIDUA_EMULATED_CALL_LOG", function);
  const Request& request = state.request;
  const bool any = request.function == "*";
  if (!any && request.function != function) return 0;
  if (request.nth != (any ? all_calls : own_calls)) return 0;
  const int status = request.status != 0 ? request.status : usual;
  AppendTo("RESIDUA_EMULATED_FAULT_LOG",
           std::string(function) + " " + std::to_string(request.nth) + " " + std::to_string(status));
  return status;
}

}  // namespace residua::cuda_emulation

void residua_emulation_fail(const char* function, int64_t nth, int status) {
  using namespace residua::cuda_emulation;
  Injection& state = State();
  const std::lock_guard<std::mutex> lock(state.mutex);
  Restart(&state, Request{function == nullptr ? "" : function, nth, status});
}

int64_t residua_emulation_calls(const char* function) {
  using namespace residua::cuda_emulation;
  Injection& state = State();
  const std::lock_guard<std::mutex> lock(state.mutex);
  if (std::string(function) == "*") return state.all_calls;
  const auto found = state.calls.find(function);
  return found == state.calls.end() ? 0 : found->second;
}
