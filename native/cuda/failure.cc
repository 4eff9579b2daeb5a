// What went wrong in an op on the GPU, and whether the GPU can go on after it.
#include "cuda/failure.h"

#include <new>
#include <string>

#include "core/failure.h"
#include "core/op_table.h"

namespace residua::cuda {

namespace {

// Whether CUDA answers with an error although nothing is wrong with the call. A failure of one call alone, at the first
// question perhaps, does not show again at the second.
bool AnswersWithFailure(cudaStream_t stream) {
  for (int question = 0; question < 2; ++question) {
    static_cast<void>(cudaGetLastError());
    const cudaError_t status = cudaStreamQuery(stream);
    static_cast<void>(cudaGetLastError());
    if (status == cudaSuccess || status == cudaErrorNotReady) return false;
  }
  return true;
}

}  // namespace

std::shared_ptr<const Error> WithOp(const Error& error, const Op& op, const Descs& inputs) {
  Error::Details details = error.details();
  details.insert({"op", InfoOf(op.kind).name});
  details.insert({"shapes", ShapesOf(inputs)});
  return std::make_shared<Error>(error.code(), error.what(), std::move(details));
}

std::shared_ptr<const Error> CurrentFailure(const Op& op, const Descs& inputs) {
  const std::string what = std::string(InfoOf(op.kind).name) + " of " + ShapesOf(inputs);
  try {
    throw;
  } catch (const Error& error) {
    const bool is_of_library = error.details().count("source") != 0;  // which knows nothing of ops
    return WithOp(is_of_library ? Error(error.code(), what + ": " + error.what(), error.details()) : error, op, inputs);
  } catch (const std::bad_alloc&) {
    return WithOp(Error(ErrorCode::kOutOfMemory, what + ": the process is out of memory."), op, inputs);
  } catch (const std::exception& error) {
    return WithOp(Error(ErrorCode::kNative, what + " failed: " + error.what()), op, inputs);
  }
}

bool DeviceHealth::IsBroken() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return broken_ != nullptr;
}

void DeviceHealth::ThrowIfBroken() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (broken_) throw Error(*broken_);
}

void DeviceHealth::Note(const Error& failure) {
  if (IsBroken() || !AnswersWithFailure(stream_)) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  broken_ =
      std::make_shared<Error>(ErrorCode::kNative,
                              std::string("The GPU takes no more work in this process since an earlier failure: ") +
                                  failure.what() + " Start the process again; compute-sanitizer finds the cause.",
                              failure.details());
}

}  // namespace residua::cuda
