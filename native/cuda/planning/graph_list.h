// Ops as lines of text, and the cuDNN graphs that the backend asks for them.
//
//   conv2d <forward|backward_data|backward_weights|fused|fused_relu|fused_add|fused_add_relu> <type>
//          <bias: none or its type> n ci h w co kh kw stride_h stride_w pad_h pad_w dilation_h dilation_w groups
//   batch_norm <forward|backward> <type> <none|relu|add_relu> n c h w
//   pool2d <forward|backward> <type> <max|avg> n c h w pool_h pool_w stride_h stride_w pad_h pad_w
#pragma once
#include <string>
#include <vector>

#include "cuda/graph.h"

namespace residua::cuda {

struct Alternative {
  std::string name;  // "float32 gradient"; empty where there is only one
  Graph graph;
};

// The graphs that the op asks cuDNN for, one after the other, until one has a plan. Throws Error(kConfig) where the
// line is not of the form above.
std::vector<Alternative> ParseGraphs(const std::string& line);

}  // namespace residua::cuda
