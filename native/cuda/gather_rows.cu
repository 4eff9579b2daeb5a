// Rows of a tensor picked by index: batches from a data set that lies on the device.
#include "cuda/cuda_plan.h"
#include "cuda/element.h"
#include "cuda/grid.h"

namespace residua::cuda {
namespace {

// x [rows, row_words], indices [count] -> y [count, row_words]. Where an index is no row nothing is read, and one such
// index is told in `fault`.
template <class Word>
__global__ void GatherRowsKernel(const Word* x, const int32_t* indices, Word* y, int64_t rows, int64_t count,
                                 int64_t row_words, int32_t* fault) {
  for (int64_t i = GridThread(); i < count * row_words; i += GridThreads()) {
    const int64_t row = Quotient(i, row_words);
    const int32_t index = indices[row];
    if (index < 0 || index >= rows) {
      if (atomicCAS(fault, 0, static_cast<int32_t>(1 + row)) == 0) fault[1] = index;
      continue;
    }
    y[i] = x[index * row_words + (i - row * row_words)];
  }
}

class GatherRowsPlan : public ConvertingPlan {
 public:
  GatherRowsPlan(const CudaContext& context, const Descs& inputs, Descs plan_outputs)
      : ConvertingPlan(context, inputs, AllPlain(inputs), std::move(plan_outputs)),
        rows_(inputs[0].shape[0]),
        count_(inputs[1].shape[0]),
        row_bytes_(NumElements(inputs[0].shape) / rows_ * static_cast<int64_t>(SizeOf(inputs[0].dtype))) {
    can_fault = true;
  }

  Error FaultError(int32_t code, int32_t found_index) const override {
    const std::string expected = "0 to " + std::to_string(rows_ - 1), found = std::to_string(found_index),
                      position = std::to_string(code - 1);
    return Error(ErrorCode::kData,
                 "gatherRows expected indices from " + expected + " (" + std::to_string(rows_) + " rows), got " +
                     found + " at position " + position + ".",
                 {{"argument", "indices"}, {"position", position}, {"expected", expected}, {"found", found}});
  }

 protected:
  // Storages start at multiples of 256 bytes: words of up to 16 bytes are aligned where they divide a row.
  void LaunchConverted(const LaunchArgs& args) override {
    if (row_bytes_ % 16 == 0)
      LaunchWords<Pack<uint8_t, 16>>(args);
    else if (row_bytes_ % 4 == 0)
      LaunchWords<Pack<uint8_t, 4>>(args);
    else
      LaunchWords<uint8_t>(args);
  }

 private:
  template <class Word>
  void LaunchWords(const LaunchArgs& args) {
    const int64_t row_words = row_bytes_ / static_cast<int64_t>(sizeof(Word));
    RESIDUA_LAUNCH(GatherRowsKernel<Word>, BlocksFor(count_ * row_words), kThreads, context().stream,
                   static_cast<const Word*>(args.inputs[0]), static_cast<const int32_t*>(args.inputs[1]),
                   static_cast<Word*>(args.outputs[0]), rows_, count_, row_words, args.fault);
  }

  int64_t rows_, count_, row_bytes_;
};

}  // namespace

PlanPtr PrepareGatherRows(const CudaContext& context, const Op&, const Descs& inputs, Descs outputs) {
  return std::make_shared<GatherRowsPlan>(context, inputs, std::move(outputs));
}

}  // namespace residua::cuda
