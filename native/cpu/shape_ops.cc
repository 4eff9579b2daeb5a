// Ops that move values without computing: Reshape, BroadcastTo, Copy, Assign.
#include <cstring>
#include <optional>

#include "cpu/broadcast.h"
#include "cpu/cast_kernel.h"
#include "cpu/cpu_plan.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrainBytes = 65536;  // what a thread copies at least

TensorDesc PlainOf(const TensorDesc& desc) { return PlainDesc(desc.dtype, desc.shape); }

void CopyBytes(const void* from, void* to, size_t bytes) {
  const char* source = static_cast<const char*>(from);
  char* target = static_cast<char*>(to);
  ParallelFor(static_cast<int64_t>(bytes), kGrainBytes, [&](int64_t begin, int64_t end) {
    std::memcpy(target + begin, source + begin, static_cast<size_t>(end - begin));
  });
}

// The output is the input's storage: nothing to do.
class AliasPlan : public CpuPlan {
 public:
  explicit AliasPlan(Descs plan_outputs) {
    outputs = std::move(plan_outputs);
    alias = {0};
  }
  void Run(void* const*, void* const*, void*) override {}
};

// A reshape of values that are not plain: they are made plain, in the input's shape.
class PlainReshapePlan : public CpuPlan {
 public:
  PlainReshapePlan(const CpuContext& context, const TensorDesc& x, Descs plan_outputs)
      : stream_(context.stream), reorder_(context.engine, MemoryDescOf(x), MemoryDescOf(PlainOf(x)), &scratch_bytes) {
    outputs = std::move(plan_outputs);
  }
  void Run(void* const* inputs, void* const* out, void* scratch) override {
    reorder_.Run(stream_, inputs[0], out[0], static_cast<char*>(scratch));
  }

 private:
  dnnl::stream stream_;
  ScratchReorder reorder_;
};

class CopyPlan : public CpuPlan {
 public:
  explicit CopyPlan(Descs plan_outputs) { outputs = std::move(plan_outputs); }
  void Run(void* const* inputs, void* const* out, void*) override { CopyBytes(inputs[0], out[0], outputs[0].bytes); }
};

template <class T>
void CopyRun(const void* from, int64_t stride, void* to, int64_t count) {
  const T* source = static_cast<const T*>(from);
  T* target = static_cast<T*>(to);
  if (stride == 0) {
    std::fill_n(target, count, *source);
  } else {
    std::copy_n(source, count, target);
  }
}

class BroadcastToPlan : public PlainPlan {
 public:
  BroadcastToPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs)
      : PlainPlan(context, inputs, std::move(plan_outputs)),
        broadcast_(outputs[0].shape, inputs[0].shape, inputs[0].shape),
        size_(SizeOf(inputs[0].dtype)) {}

 protected:
  void RunPlain(const void* const* inputs, void* const* out, void*) override {
    const char* x = static_cast<const char*>(inputs[0]);
    char* y = static_cast<char*>(out[0]);
    const auto copy = size_ == 4 ? &CopyRun<uint32_t> : size_ == 2 ? &CopyRun<uint16_t> : &CopyRun<uint8_t>;
    const int64_t stride = broadcast_.loops.back().strides[0];
    ParallelFor(NumElements(outputs[0].shape), kGrainBytes / size_, [&](int64_t begin, int64_t end) {
      broadcast_.ForEachRun(begin, end, [&](int64_t at, int64_t at_x, int64_t, int64_t length) {
        copy(x + at_x * size_, stride, y + at * size_, length);
      });
    });
  }

 private:
  Broadcast broadcast_;
  int64_t size_;  // bytes an element
};

// Writes `from` into the storage of `to`, which has the same type, in the layout that it has.
class AssignPlan : public CpuPlan {
 public:
  AssignPlan(const CpuContext& context, const TensorDesc& to, const TensorDesc& from)
      : stream_(context.stream), bytes_(to.bytes) {
    if (!SameLayout(to, from)) reorder_.emplace(context.engine, MemoryDescOf(from), MemoryDescOf(to), &scratch_bytes);
  }

  void Run(void* const* inputs, void* const*, void* scratch) override {
    if (reorder_) {
      reorder_->Run(stream_, inputs[1], inputs[0], static_cast<char*>(scratch));
    } else if (inputs[0] != inputs[1]) {
      CopyBytes(inputs[1], inputs[0], bytes_);
    }
  }

 private:
  dnnl::stream stream_;
  size_t bytes_;
  std::optional<ScratchReorder> reorder_;
};

// As AssignPlan, to another type: plain values are cast, into the target where that is plain, else by way of the
// scratch.
class AssignCastPlan : public PlainPlan {
 public:
  AssignCastPlan(const CpuContext& context, const TensorDesc& to, const TensorDesc& from)
      : PlainPlan(context, {PlainOf(to), from}, {}), stream_(context.stream), to_(to), from_type_(from.dtype) {
    if (to.plain()) return;
    const TensorDesc cast = PlainOf(to);
    size_t own_bytes = cast.bytes;
    reorder_.emplace(context.engine, MemoryDescOf(cast), MemoryDescOf(to), &own_bytes);
    ReserveScratch(own_bytes);
  }

 protected:
  void RunPlain(const void* const* inputs, void* const*, void* scratch) override {
    void* to = const_cast<void*>(inputs[0]);  // updated in place
    void* cast = reorder_ ? scratch : to;
    CastElements(from_type_, inputs[1], to_.dtype, cast, NumElements(to_.shape));
    if (reorder_) reorder_->Run(stream_, cast, to, static_cast<char*>(scratch));
  }

 private:
  dnnl::stream stream_;
  TensorDesc to_;
  DType from_type_;
  std::optional<ScratchReorder> reorder_;
};

}  // namespace

PlanPtr PrepareReshape(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  outputs[0] = PlainOf(outputs[0]);
  if (inputs[0].plain()) return std::make_shared<AliasPlan>(std::move(outputs));
  return std::make_shared<PlainReshapePlan>(context, inputs[0], std::move(outputs));
}

PlanPtr PrepareBroadcastTo(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  outputs[0] = PlainOf(outputs[0]);
  return std::make_shared<BroadcastToPlan>(context, inputs, std::move(outputs));
}

PlanPtr PrepareCopy(const CpuContext&, const Op&, const Descs& inputs, Descs) {
  return std::make_shared<CopyPlan>(Descs{inputs[0]});
}

PlanPtr PrepareAssign(const CpuContext& context, const Op&, const Descs& inputs, Descs) {
  const TensorDesc &to = inputs[0], &from = inputs[1];
  if (to.dtype == from.dtype) return std::make_shared<AssignPlan>(context, to, from);
  return std::make_shared<AssignCastPlan>(context, to, from);
}

}  // namespace residua::cpu
