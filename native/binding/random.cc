// randomUniform, randomNormal, randomPermutation: arrays drawn from a stream of the generator (core/philox.h).
#include "binding/random.h"

#include <limits>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/host_array.h"
#include "core/philox.h"

namespace residua::binding {

namespace {

struct Request {
  size_t count;
  uint64_t seed;
  uint64_t stream;
};

Request ToRequest(const Napi::CallbackInfo& info, int64_t max_count) {
  return {static_cast<size_t>(ToInteger(info[0], "count", 0, max_count)),
          static_cast<uint64_t>(ToInteger(info[1], "seed", 0, kMaxSafeInteger)),
          static_cast<uint64_t>(ToInteger(info[2], "stream", 0, kMaxSafeInteger))};
}

// randomUniform(count, seed, stream, low, high)
Napi::Value RandomUniform(const Napi::CallbackInfo& info) {
  const Request request = ToRequest(info, kMaxSafeInteger);
  const double low = ToNumber(info[3], "low");
  const double high = ToNumber(info[4], "high");
  if (low > high) {
    throw Error(ErrorCode::kConfig,
                "Expected low to be at most high, got " + std::to_string(low) + " and " + std::to_string(high) + ".");
  }
  const uint64_t bytes = request.count * sizeof(float);
  auto values = AllocateHost(bytes);
  FillUniform(reinterpret_cast<float*>(values.get()), request.count, request.seed, request.stream, low, high);
  return AdoptHost(info.Env(), std::move(values), bytes, DType::kFloat32);
}

// randomNormal(count, seed, stream, mean, std)
Napi::Value RandomNormal(const Napi::CallbackInfo& info) {
  const Request request = ToRequest(info, kMaxSafeInteger);
  const double mean = ToNumber(info[3], "mean");
  const double std = ToNumber(info[4], "std");
  const uint64_t bytes = request.count * sizeof(float);
  auto values = AllocateHost(bytes);
  FillNormal(reinterpret_cast<float*>(values.get()), request.count, request.seed, request.stream, mean, std);
  return AdoptHost(info.Env(), std::move(values), bytes, DType::kFloat32);
}

// randomPermutation(count, seed, stream)
Napi::Value RandomPermutation(const Napi::CallbackInfo& info) {
  const Request request = ToRequest(info, std::numeric_limits<int32_t>::max());
  const uint64_t bytes = request.count * sizeof(int32_t);
  auto values = AllocateHost(bytes);
  FillPermutation(reinterpret_cast<int32_t*>(values.get()), request.count, request.seed, request.stream);
  return AdoptHost(info.Env(), std::move(values), bytes, DType::kInt32);
}

}  // namespace

void InitRandom(Napi::Env env, Napi::Object exports) {
  Export<RandomUniform>(env, exports, "randomUniform");
  Export<RandomNormal>(env, exports, "randomNormal");
  Export<RandomPermutation>(env, exports, "randomPermutation");
}

}  // namespace residua::binding
