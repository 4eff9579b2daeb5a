// Runs the emulation's own tests, and prints a line for each: "ok NAME", or "not ok NAME: WHY". Ends with 1 if one
// fails.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "cuda/check.h"
#include "cuda_emulation/test_checks.h"

namespace residua::cuda {

void Check(cudaError_t status, const char* call, const char*, int) {
  if (status != cudaSuccess) throw cuda_emulation::CallFailure(status, call);
}
void Check(cudnnStatus_t status, const char* call, const char*, int) {
  if (status != 0) throw cuda_emulation::CallFailure(status, call);
}
void Check(cublasStatus_t status, const char* call, const char*, int) {
  if (status != CUBLAS_STATUS_SUCCESS) throw cuda_emulation::CallFailure(status, call);
}

}  // namespace residua::cuda

namespace residua::cuda_emulation {

std::vector<Test>& Tests() {
  static std::vector<Test> tests;
  return tests;
}

void Fail(const char* file, int line, const std::string& message) {
  throw TestFailure(std::string(file) + ":" + std::to_string(line) + ": " + message);
}

void ExpectAbort(const std::function<void()>& body, const std::string& message, const char* file, int line) {
  int ends[2];
  if (pipe(ends) != 0) Fail(file, line, "no pipe");
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    try {
      body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    _exit(0);
  }
  close(ends[1]);
  std::string output;
  char part[4096];
  for (ssize_t count; (count = read(ends[0], part, sizeof(part))) > 0;) output.append(part, static_cast<size_t>(count));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) Fail(file, line, "the child did not abort: " + output);
  if (output.find(message) == std::string::npos) Fail(file, line, "'" + message + "' is not in: " + output);
}

Environment::Environment(const char* name, const std::string& value) : name_(name) { setenv(name, value.c_str(), 1); }
Environment::~Environment() { unsetenv(name_); }

Stream::Stream(unsigned flags) {
  if (cudaStreamCreateWithFlags(&stream_, flags) != cudaSuccess) throw TestFailure("no stream for a test");
}
Stream::~Stream() {
  (void)cudaStreamSynchronize(stream_);
  (void)cudaStreamDestroy(stream_);
}

Event::Event(unsigned flags) {
  if (cudaEventCreateWithFlags(&event_, flags) != cudaSuccess) throw TestFailure("no event for a test");
}
Event::~Event() { (void)cudaEventDestroy(event_); }

namespace {

// Runs the test and prints its line: whether it passes.
bool Run(const Test& test) {
  std::string why;
  try {
    test.body();
  } catch (const std::exception& error) {
    why = error.what();
  }
  std::printf(why.empty() ? "ok %s\n" : "not ok %s: %s\n", test.name, why.c_str());
  return why.empty();
}

// The same in a process of its own, so that no test sees what another left behind.
bool RunApart(const Test& test) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) std::exit(Run(test) ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) std::printf("not ok %s: ended by signal %d\n", test.name, WTERMSIG(status));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace
}  // namespace residua::cuda_emulation

int main() {
  bool all_pass = true;
  for (const auto& test : residua::cuda_emulation::Tests()) all_pass &= residua::cuda_emulation::RunApart(test);
  return all_pass ? 0 : 1;
}
