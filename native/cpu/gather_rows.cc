// Rows of a tensor picked by index: batches from a data set that lies on the device.
#include <cstring>

#include "cpu/cpu_plan.h"

namespace residua::cpu {
namespace {

constexpr int64_t kGrainBytes = 1 << 16;  // bytes a thread copies at least

// Throws DataError for the first index that is not a row.
void CheckIndices(const int32_t* indices, int64_t count, int64_t rows) {
  for (int64_t i = 0; i < count; ++i) {
    if (indices[i] >= 0 && indices[i] < rows) continue;
    const std::string expected = "0 to " + std::to_string(rows - 1), found = std::to_string(indices[i]);
    throw Error(ErrorCode::kData,
                "gatherRows expected indices from " + expected + " (" + std::to_string(rows) + " rows), got " + found +
                    " at position " + std::to_string(i) + ".",
                {{"argument", "indices"}, {"position", std::to_string(i)}, {"expected", expected}, {"found", found}});
  }
}

class GatherRowsPlan : public PlainPlan {
 public:
  GatherRowsPlan(const CpuContext& context, const Descs& inputs, Descs plan_outputs)
      : PlainPlan(context, inputs, std::move(plan_outputs)),
        rows_(inputs[0].shape[0]),
        count_(inputs[1].shape[0]),
        row_bytes_(NumElements(inputs[0].shape) / rows_ * static_cast<int64_t>(SizeOf(inputs[0].dtype))) {}

 protected:
  void RunPlain(const void* const* inputs, void* const* out, void*) override {
    const char* x = static_cast<const char*>(inputs[0]);              // [rows, row]
    const int32_t* indices = static_cast<const int32_t*>(inputs[1]);  // [count]
    char* y = static_cast<char*>(out[0]);                             // [count, row]
    CheckIndices(indices, count_, rows_);
    ParallelFor(count_, std::max<int64_t>(1, kGrainBytes / row_bytes_), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        std::memcpy(y + i * row_bytes_, x + indices[i] * row_bytes_, static_cast<size_t>(row_bytes_));
      }
    });
  }

 private:
  int64_t rows_, count_, row_bytes_;
};

}  // namespace

PlanPtr PrepareGatherRows(const CpuContext& context, const Op&, const Descs& inputs, Descs outputs) {
  outputs[0] = PlainDesc(outputs[0].dtype, outputs[0].shape);
  return std::make_shared<GatherRowsPlan>(context, inputs, std::move(outputs));
}

}  // namespace residua::cpu
