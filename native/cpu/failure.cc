// What went wrong in an op, as an Error that names the op, its shapes and the library.
#include "cpu/failure.h"

#include <dnnl_debug.h>

#include <new>
#include <string>

#include "core/op_table.h"

namespace residua::cpu {
namespace {

bool HasHalfFloats(const Descs& inputs) {
  for (const TensorDesc& input : inputs) {
    if (input.dtype == DType::kFloat16 || input.dtype == DType::kBFloat16) return true;
  }
  return false;
}

Error DnnlFailure(const dnnl::error& error, const std::string& op, const Descs& inputs) {
  const std::string shapes = ShapesOf(inputs), library = LibraryVersion(), status = dnnl_status2str(error.status);
  const Error::Details details = {{"op", op}, {"shapes", shapes}, {"library", library}, {"status", status}};
  if (error.status == dnnl_unimplemented && HasHalfFloats(inputs)) {
    return Error(
        ErrorCode::kDType,
        op + " of " + shapes + ": " + library + " has no such op for 16-bit floats on this processor. Use float32.",
        details);
  }
  const ErrorCode code = error.status == dnnl_out_of_memory ? ErrorCode::kOutOfMemory : ErrorCode::kNative;
  return Error(code, op + " of " + shapes + " failed in " + library + ": " + error.what() + " (" + status + ").",
               details);
}

}  // namespace

std::shared_ptr<const Error> CurrentFailure(const Op& op, const Descs& inputs) {
  const std::string name = InfoOf(op.kind).name;
  try {
    throw;
  } catch (const Error& error) {
    Error::Details details = error.details();
    details.insert({"op", name});
    details.insert({"shapes", ShapesOf(inputs)});
    return std::make_shared<Error>(error.code(), error.what(), details);
  } catch (const dnnl::error& error) {
    return std::make_shared<Error>(DnnlFailure(error, name, inputs));
  } catch (const std::bad_alloc&) {
    return std::make_shared<Error>(ErrorCode::kOutOfMemory, name + " of " + ShapesOf(inputs) + ": out of memory.",
                                   Error::Details{{"op", name}, {"shapes", ShapesOf(inputs)}});
  } catch (const std::exception& error) {
    return std::make_shared<Error>(ErrorCode::kNative, name + " of " + ShapesOf(inputs) + " failed: " + error.what(),
                                   Error::Details{{"op", name}, {"shapes", ShapesOf(inputs)}});
  }
}

}  // namespace residua::cpu
