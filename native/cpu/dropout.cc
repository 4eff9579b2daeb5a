// Dropout: each element is zeroed with probability `rate`, the others are scaled by 1 / (1 - rate) (Srivastava et al.
// 2014, "Dropout: a simple way to prevent neural networks from overfitting"). Element i looks at word i of the Philox
// stream, so that the mask does not depend on the number of threads.
#include <cstring>

#include "core/philox.h"
#include "cpu/cpu_plan.h"
#include "cpu/element.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements a thread gets at least
constexpr int64_t kWords = 4;      // words a block of the generator

struct StreamState {
  uint64_t seed, stream;
};

// state int32 [4]: seed low, seed high, stream low, stream high
StreamState ReadState(const void* state) {
  uint32_t words[4];
  std::memcpy(words, state, sizeof(words));
  return {uint64_t{words[1]} << 32 | words[0], uint64_t{words[3]} << 32 | words[2]};
}

// mask [count]: 1 with probability 1 - rate
void FillMask(const StreamState& state, float rate, int64_t count, uint8_t* mask) {
  const auto threshold = static_cast<uint64_t>(static_cast<double>(rate) * 0x1p32);  // of the 2^32 words, so many drop
  const int64_t blocks = (count + kWords - 1) / kWords;
  ParallelFor(blocks, kGrain / kWords, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const std::array<uint32_t, 4> words = Philox(state.seed, state.stream, static_cast<uint64_t>(block));
      const int64_t at = block * kWords, here = std::min(kWords, count - at);
      for (int64_t i = 0; i < here; ++i) mask[at + i] = words[i] >= threshold;
    }
  });
}

// y = x / (1 - rate) where the mask is set, else 0: forward and backward alike.
void ApplyMask(DType dtype, const void* x_bytes, const uint8_t* mask, float rate, int64_t count, void* y_bytes) {
  const float scale = 1 / (1 - rate);
  DispatchFloat(dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    const T* x = static_cast<const T*>(x_bytes);
    T* y = static_cast<T*>(y_bytes);
    ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = Store<T>(mask[i] ? Load(x[i]) * scale : 0.0f);
    });
  });
}

class DropoutPlan : public PlainPlan {
 public:
  DropoutPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, float rate)
      : PlainPlan(context, inputs, std::move(plan_outputs)), rate_(rate) {}

 protected:
  // x, state -> y, mask
  void RunPlain(const void* const* inputs, void* const* out, void*) override {
    const int64_t count = NumElements(outputs[0].shape);
    uint8_t* mask = static_cast<uint8_t*>(out[1]);
    FillMask(ReadState(inputs[1]), rate_, count, mask);
    ApplyMask(outputs[0].dtype, inputs[0], mask, rate_, count, out[0]);
  }

 private:
  float rate_;
};

class DropoutBackwardPlan : public PlainPlan {
 public:
  DropoutBackwardPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs, float rate)
      : PlainPlan(context, inputs, std::move(plan_outputs)), rate_(rate) {}

 protected:
  // dy, mask -> dx
  void RunPlain(const void* const* inputs, void* const* out, void*) override {
    const int64_t count = NumElements(outputs[0].shape);
    ApplyMask(outputs[0].dtype, inputs[0], static_cast<const uint8_t*>(inputs[1]), rate_, count, out[0]);
  }

 private:
  float rate_;
};

template <class DropPlan>
PlanPtr PrepareDrop(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  for (TensorDesc& desc : outputs) desc = PlainDesc(desc.dtype, desc.shape);
  return std::make_shared<DropPlan>(context, inputs, std::move(outputs), std::get<DropoutParams>(op.params).rate);
}

}  // namespace

PlanPtr PrepareDropout(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareDrop<DropoutPlan>(context, op, inputs, std::move(outputs));
}

PlanPtr PrepareDropoutBackward(const CpuContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareDrop<DropoutBackwardPlan>(context, op, inputs, std::move(outputs));
}

}  // namespace residua::cpu
