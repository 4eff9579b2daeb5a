// What finalising a descriptor does beyond the presence of its attributes: cross-checks, and read-only attributes.
#pragma once
#include "cuda_emulation/cudnn_descriptor.h"

namespace residua::cuda_emulation {

// Checks and completes; throws CudnnRefusal.
void Finalize(Descriptor* descriptor);

// The parts, by descriptor.
void CheckTensor(const Descriptor& tensor);
void CheckConvolutionParameters(const Descriptor& convolution);
void CheckResampleParameters(const Descriptor& resample);
void CheckReductionParameters(const Descriptor& reduction);
void CheckConvolution(const Descriptor& operation);
void CheckPointwise(const Descriptor& operation);
void CheckReductionOrStatistics(const Descriptor& operation);
void CheckResample(const Descriptor& operation);
void CheckNormForward(const Descriptor& operation);
void CheckNormBackward(const Descriptor& operation);
void CompleteOperationGraph(Descriptor* graph);        // cudnn_graph.cc
void CompleteHeuristics(Descriptor* heuristics);       // cudnn_engines.cc
void CompleteEngine(Descriptor* engine);               // cudnn_engines.cc
void CompleteEngineConfiguration(Descriptor* config);  // cudnn_engines.cc
void CompleteExecutionPlan(Descriptor* plan);          // cudnn_plan.cc

}  // namespace residua::cuda_emulation
