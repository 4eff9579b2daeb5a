// The plan of an op that is one oneDNN primitive, with the reorders that its inputs and outputs need.
#pragma once
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "cpu/cpu_plan.h"

namespace residua::cpu {

class PrimitivePlan : public CpuPlan {
 public:
  PrimitivePlan(const CpuContext& context, const dnnl::primitive& primitive, const MemoryDesc& scratchpad,
                const Descs& inputs, Descs plan_outputs);

  // The primitive reads input `index` as `wanted`, which may view the logical shape differently (groups split off, axes
  // joined).
  void AddInput(int argument, size_t index, const MemoryDesc& wanted);
  // The primitive writes output `index` as `produced`, which becomes its layout; plain where it views the shape
  // differently.
  void AddOutput(int argument, size_t index, const MemoryDesc& produced);
  // The primitive reads as `wanted` that part of input `index` which begins at `offsets`.
  void AddPartInput(int argument, size_t index, const Dims& offsets, const MemoryDesc& wanted);
  // The primitive writes as `produced` that part of output `index`, laid out as `whole`, which begins at `offsets`;
  // the rest is 0.
  void AddPartOutput(int argument, size_t index, const Dims& offsets, const MemoryDesc& produced,
                     const MemoryDesc& whole);
  // The primitive adds to what output `output` holds (a sum as post-op): the values of input `index`. They share
  // storage where they lie alike, else the values are moved there first.
  void AddSummand(size_t index, size_t output);
  // The primitive writes bytes that only its backward pass reads.
  void AddWorkspaceOutput(int argument, size_t index, const MemoryDesc& workspace,
                          std::shared_ptr<const WorkspaceLayout> layout);
  // Input `index` is such bytes.
  void AddWorkspaceInput(int argument, size_t index, const MemoryDesc& workspace);

  void Run(void* const* inputs, void* const* outputs, void* scratch) override;
  std::string Algorithm() const override;

 private:
  struct Binding {
    dnnl::memory memory;
    size_t index;
  };
  struct OutputReorder {
    dnnl::memory produced;
    size_t offset;  // of what the primitive writes, in the scratch
    size_t index;
    ScratchReorder reorder;
    size_t zero_bytes = 0;  // set to 0 before
  };
  dnnl::memory AddArgument(int argument, const MemoryDesc& desc);

  CpuContext context_;
  dnnl::primitive primitive_;
  Descs input_descs_;
  InputReorders input_reorders_;
  std::unordered_map<int, dnnl::memory> arguments_;
  std::vector<Binding> inputs_, outputs_;
  std::vector<OutputReorder> output_reorders_;
  struct Summand {
    size_t index, output;
    ScratchReorder reorder;
  };
  std::optional<Summand> summand_;  // where it does not share storage with the output
  dnnl::memory scratchpad_;
  size_t scratchpad_offset_;
};

}  // namespace residua::cpu
