// Checks of the emulated cuDNN. Usage: cudnn_test test/fixtures/cudnn_graphs.txt
// Prints a line for each check, "ok <name>" or "not ok <name>: <why>"; the status is 1 if any failed.
#include <cstdio>

#include "cuda_emulation/cudnn_test_support.h"

int main(int argc, char** argv) {
  using namespace residua::cudnn_test;
  if (argc != 2) {
    std::fprintf(stderr, "usage: cudnn_test <fixtures>\n");
    return 2;
  }
  int failed = 0;
  try {
    std::vector<Check> checks;
    AddFixtureChecks(argv[1], &checks);
    AddRefusalChecks(&checks);
    AddOperationRefusalChecks(&checks);
    AddSupportChecks(&checks);
    AddPlanChecks(&checks);
    AddExecutionChecks(&checks);
    AddValueChecks(&checks);
    for (const Check& check : checks) {
      try {
        check.body();
        std::printf("ok %s\n", check.name.c_str());
      } catch (const std::exception& error) {
        std::printf("not ok %s: %s\n", check.name.c_str(), error.what());
        ++failed;
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cudnn_test: %s\n", error.what());
    return 2;
  }
  return failed == 0 ? 0 : 1;
}
