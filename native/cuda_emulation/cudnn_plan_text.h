// Execution plans as JSON text and back: the engine's number and the descriptors of the graph.
#pragma once
#include <string>

#include "cuda_emulation/cudnn_descriptor.h"

namespace residua::cuda_emulation {

// `config` is a finalised engine configuration.
std::string PlanToText(const Descriptor& config);
// A finalised engine configuration; throws where the text is not one of PlanToText or is of another version.
DescriptorPtr PlanFromText(const std::string& text);

}  // namespace residua::cuda_emulation
