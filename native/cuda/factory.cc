// The library's one symbol, which the addon looks up: core/cuda_loader.h.
#include <cstdio>
#include <string>

#include "core/cuda_loader.h"
#include "cuda/cuda_backend.h"

namespace {

using residua::Error;
using residua::ErrorCode;

// What the caller shows: for a backend that is not available three lines, see kBackendUnavailableLines.
std::string TextOf(const Error& error) {
  const Error::Details& details = error.details();
  if (error.code() != ErrorCode::kBackendUnavailable || details.count("remedy") == 0) return error.what();
  return details.at("lookedFor") + "\n" + details.at("found") + "\n" + details.at("remedy");
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int residua_cuda_backend(int abi_version, int device,
                                                                           residua::Backend** out, char* error,
                                                                           size_t error_size) {
  if (abi_version != residua::kBackendAbiVersion) {
    std::snprintf(error, error_size, "%d", residua::kBackendAbiVersion);
    return residua::kWrongAbiVersion;
  }
  try {
    *out = residua::cuda::MakeCudaBackend(device).release();
    return 0;
  } catch (const Error& failure) {
    std::snprintf(error, error_size, "%s", TextOf(failure).c_str());
    return residua::StatusOf(failure.code());
  } catch (const std::exception& failure) {
    std::snprintf(error, error_size, "%s", failure.what());
    return residua::StatusOf(ErrorCode::kNative);
  }
}
