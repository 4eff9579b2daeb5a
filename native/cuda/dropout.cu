// Dropout: each element is zeroed with probability `rate`, the others are scaled by 1 / (1 - rate) (Srivastava et al.
// 2014, "Dropout: a simple way to prevent neural networks from overfitting"). Element i looks at word i of the Philox
// stream (core/philox.h), as on the CPU: the same state drops the same elements there and here.
#include "cuda/cuda_plan.h"
#include "cuda/element.h"
#include "cuda/grid.h"

namespace residua::cuda {
namespace {

constexpr int kWords = 4;  // words a block of the generator

struct PhiloxBlock {
  uint32_t words[kWords];
};

// Block `index` of the stream. state: seed low, seed high, stream low, stream high.
__device__ inline PhiloxBlock Philox(const int32_t* state, uint64_t index) {
  constexpr uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;  // added to the key after each round
  uint32_t c0 = static_cast<uint32_t>(index), c1 = static_cast<uint32_t>(index >> 32);
  uint32_t c2 = static_cast<uint32_t>(state[2]), c3 = static_cast<uint32_t>(state[3]);
  uint32_t k0 = static_cast<uint32_t>(state[0]), k1 = static_cast<uint32_t>(state[1]);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{kMultiplier0} * c0, p1 = uint64_t{kMultiplier1} * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(p1);
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(p0);
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  return {{c0, c1, c2, c3}};
}

// x, state -> y = x / (1 - rate) where the mask is set, else 0; mask: 1 with probability 1 - rate. Of the 2^32 words
// `dropped` drop.
template <class T>
__global__ void DropoutKernel(const T* x, const int32_t* state, uint64_t dropped, float scale, T* y, uint8_t* mask,
                              int64_t count) {
  for (int64_t block = GridThread(); block * kWords < count; block += GridThreads()) {
    const PhiloxBlock random = Philox(state, static_cast<uint64_t>(block));
    for (int k = 0; k < kWords; ++k) {
      const int64_t i = block * kWords + k;
      if (i >= count) return;
      const bool kept = random.words[k] >= dropped;
      mask[i] = kept;
      y[i] = Store<T>(kept ? Load(x[i]) * scale : 0.0f);
    }
  }
}

// dy, mask -> dx
template <class T>
__global__ void DropoutBackwardKernel(const T* dy, const uint8_t* mask, float scale, T* dx, int64_t count) {
  for (int64_t i = GridThread(); i < count; i += GridThreads()) {
    dx[i] = Store<T>(mask[i] ? Load(dy[i]) * scale : 0.0f);
  }
}

class DropoutPlan : public ConvertingPlan {
 public:
  DropoutPlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs, float rate)
      : ConvertingPlan(context, inputs, AllPlain(inputs), std::move(plan_outputs)), rate_(rate) {}

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    const int64_t count = NumElements(outputs[0].shape);
    const auto dropped = static_cast<uint64_t>(static_cast<double>(rate_) * 0x1p32);
    DispatchFloat(outputs[0].dtype, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      RESIDUA_LAUNCH(DropoutKernel<T>, BlocksFor((count + kWords - 1) / kWords), kThreads, context().stream,
                     static_cast<const T*>(args.inputs[0]), static_cast<const int32_t*>(args.inputs[1]), dropped,
                     1 / (1 - rate_), static_cast<T*>(args.outputs[0]), static_cast<uint8_t*>(args.outputs[1]), count);
    });
  }

 private:
  float rate_;
};

class DropoutBackwardPlan : public ConvertingPlan {
 public:
  DropoutBackwardPlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs, float rate)
      : ConvertingPlan(context, inputs, AllPlain(inputs), std::move(plan_outputs)), rate_(rate) {}

 protected:
  void LaunchConverted(const LaunchArgs& args) override {
    const int64_t count = NumElements(outputs[0].shape);
    DispatchFloat(outputs[0].dtype, [&](auto tag) {
      using T = typename decltype(tag)::Type;
      RESIDUA_LAUNCH(DropoutBackwardKernel<T>, BlocksFor(count), kThreads, context().stream,
                     static_cast<const T*>(args.inputs[0]), static_cast<const uint8_t*>(args.inputs[1]),
                     1 / (1 - rate_), static_cast<T*>(args.outputs[0]), count);
    });
  }

 private:
  float rate_;
};

template <class DropPlan>
PlanPtr PrepareDrop(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return std::make_shared<DropPlan>(context, inputs, std::move(outputs), std::get<DropoutParams>(op.params).rate);
}

}  // namespace

PlanPtr PrepareDropout(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareDrop<DropoutPlan>(context, op, inputs, std::move(outputs));
}

PlanPtr PrepareDropoutBackward(const CudaContext& context, const Op& op, const Descs& inputs, Descs outputs) {
  return PrepareDrop<DropoutBackwardPlan>(context, op, inputs, std::move(outputs));
}

}  // namespace residua::cuda
