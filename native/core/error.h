// The one exception type of the native code; the binding turns it into the JavaScript class of the same code.
#pragma once
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

namespace residua {

enum class ErrorCode {
  kShape,               // ShapeError
  kDType,               // DTypeError
  kDevice,              // DeviceError
  kBackendUnavailable,  // BackendUnavailableError
  kDisposed,            // DisposedError
  kData,                // DataError
  kOutOfMemory,         // OutOfMemoryError: details bytesAsked, bytesFree
  kNative,              // NativeError: details op, shapes, library, status, source
  kConfig,              // ConfigError
};

class Error : public std::runtime_error {
 public:
  using Details = std::map<std::string, std::string>;

  Error(ErrorCode code, const std::string& message, Details details = {})
      : std::runtime_error(message), code_(code), details_(std::move(details)) {}

  ErrorCode code() const { return code_; }
  const Details& details() const { return details_; }

 private:
  ErrorCode code_;
  Details details_;
};

}  // namespace residua
