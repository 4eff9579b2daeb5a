// The plan of an op that is one oneDNN primitive.
#include "cpu/primitive_plan.h"

namespace residua::cpu {

PrimitivePlan::PrimitivePlan(const CpuContext& context, const dnnl::primitive& primitive, const MemoryDesc& scratchpad,
                             const Descs& inputs, Descs plan_outputs)
    : context_(context),
      primitive_(primitive),
      input_descs_(inputs),
      input_reorders_(context.engine, context.stream, inputs.size()) {
  outputs = std::move(plan_outputs);
  scratchpad_ = AddArgument(DNNL_ARG_SCRATCHPAD, scratchpad);
  scratchpad_offset_ = TakeScratch(&scratch_bytes, scratchpad.get_size());
}

dnnl::memory PrimitivePlan::AddArgument(int argument, const MemoryDesc& desc) {
  const dnnl::memory memory(desc, context_.engine, DNNL_MEMORY_NONE);
  arguments_[argument] = memory;
  return memory;
}

void PrimitivePlan::AddInput(int argument, size_t index, const MemoryDesc& wanted) {
  MemoryDesc from = MemoryDescOf(input_descs_[index]);
  if (DimsOf(from) != DimsOf(wanted)) {  // another view of the shape: of plain memory only
    input_reorders_.Add(index, from, PlainLike(from), &scratch_bytes);
    from = PlainLike(wanted);
  }
  input_reorders_.Add(index, from, wanted, &scratch_bytes);
  inputs_.push_back({AddArgument(argument, wanted), index});
}

void PrimitivePlan::AddOutput(int argument, size_t index, const MemoryDesc& produced) {
  const dnnl::memory memory = AddArgument(argument, produced);
  TensorDesc& output = outputs[index];
  const MemoryDesc plain = PlainMemoryDesc(output.dtype, output.shape);
  if (IsPlainInMemory(produced) || DimsOf(produced) == DimsOf(plain)) {
    SetLayout(&output, produced);
    outputs_.push_back({memory, index});
    return;
  }
  SetLayout(&output, plain);
  const size_t offset = TakeScratch(&scratch_bytes, produced.get_size());
  output_reorders_.push_back(
      {memory, offset, index, ScratchReorder(context_.engine, produced, PlainLike(produced), &scratch_bytes)});
}

void PrimitivePlan::AddPartInput(int argument, size_t index, const Dims& offsets, const MemoryDesc& wanted) {
  const MemoryDesc part = MemoryDescOf(input_descs_[index]).submemory_desc(DimsOf(wanted), offsets);
  input_reorders_.AddAlways(index, part, wanted, &scratch_bytes);
  inputs_.push_back({AddArgument(argument, wanted), index});
}

void PrimitivePlan::AddPartOutput(int argument, size_t index, const Dims& offsets, const MemoryDesc& produced,
                                  const MemoryDesc& whole) {
  SetLayout(&outputs[index], whole);
  const MemoryDesc part = whole.submemory_desc(DimsOf(produced), offsets);
  const size_t offset = TakeScratch(&scratch_bytes, produced.get_size());
  output_reorders_.push_back({AddArgument(argument, produced), offset, index,
                              ScratchReorder(context_.engine, produced, part, &scratch_bytes), outputs[index].bytes});
}

void PrimitivePlan::AddSummand(size_t index, size_t output) {
  if (SameLayout(input_descs_[index], outputs[output])) {
    alias.assign(outputs.size(), -1);
    alias[output] = static_cast<int>(index);
    return;
  }
  const MemoryDesc from = MemoryDescOf(input_descs_[index]), to = MemoryDescOf(outputs[output]);
  summand_.emplace(Summand{index, output, ScratchReorder(context_.engine, from, to, &scratch_bytes)});
}

void PrimitivePlan::AddWorkspaceOutput(int argument, size_t index, const MemoryDesc& workspace,
                                       std::shared_ptr<const WorkspaceLayout> layout) {
  outputs[index].layout = std::move(layout);
  outputs[index].bytes = workspace.get_size();
  outputs_.push_back({AddArgument(argument, workspace), index});
}

void PrimitivePlan::AddWorkspaceInput(int argument, size_t index, const MemoryDesc& workspace) {
  inputs_.push_back({AddArgument(argument, workspace), index});
}

void PrimitivePlan::Run(void* const* inputs, void* const* out, void* scratch) {
  char* base = static_cast<char*>(scratch);
  const void* const* read_from = input_reorders_.Run(inputs, scratch);
  for (Binding& input : inputs_) input.memory.set_data_handle(const_cast<void*>(read_from[input.index]));
  for (Binding& output : outputs_) output.memory.set_data_handle(out[output.index]);
  for (OutputReorder& output : output_reorders_) output.produced.set_data_handle(base + output.offset);
  scratchpad_.set_data_handle(base + scratchpad_offset_);
  if (summand_) summand_->reorder.Run(context_.stream, inputs[summand_->index], out[summand_->output], base);
  primitive_.execute(context_.stream, arguments_);
  for (OutputReorder& output : output_reorders_) {
    FillZero(out[output.index], output.zero_bytes);
    output.reorder.Run(context_.stream, base + output.offset, out[output.index], base);
  }
}

std::string PrimitivePlan::Algorithm() const {
  const char* name = nullptr;
  const dnnl_status_t status =
      dnnl_primitive_desc_query(primitive_.get_primitive_desc(), dnnl_query_impl_info_str, 0, &name);
  return status == dnnl_success ? name : "";
}

}  // namespace residua::cpu
