// An operation graph in order of execution, and whether cuDNN has engines for it.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "cuda_emulation/cudnn_operation.h"

namespace residua::cuda_emulation {

struct Operation {
  DescriptorPtr descriptor;
  std::vector<int64_t> inputs, outputs;  // uids
  cudnnBackendDescriptorType_t type() const { return descriptor->type; }
};

struct OperationGraph {
  std::map<int64_t, TensorInfo> tensors;  // by uid
  std::vector<Operation> operations;      // each after those whose results it reads

  const TensorInfo& at(int64_t uid) const { return tensors.at(uid); }
  // The operation that writes the tensor, or null; how many read it.
  const Operation* Writer(int64_t uid) const;
  int Readers(int64_t uid) const;
};

enum class Pattern {
  kNone,
  kConvolution,
  kConvolutionFusion,
  kPointwise,
  kNormForward,
  kNormBackward,
  kResample,         // forward, without positions
  kResampleIndexed,  // forward with positions, and backward
  kResampleNchw,
};

struct Support {
  Pattern pattern = Pattern::kNone;
  std::string why_not;                                // of kNone
  cudnnStatus_t status = CUDNN_STATUS_NOT_SUPPORTED;  // of kNone
};

// What of the real library's engines fits the graph.
Support Classify(const OperationGraph& graph);

// Its parts; each answers "" or why the graph does not fit.
std::string WhyNotConvolution(const OperationGraph& graph, bool* fused);  // cudnn_pattern_convolution.cc
std::string WhyNotNormForward(const OperationGraph& graph);               // cudnn_pattern_norm.cc
std::string WhyNotNormBackward(const OperationGraph& graph);              // cudnn_pattern_norm.cc

}  // namespace residua::cuda_emulation
