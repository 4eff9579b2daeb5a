// One row an op: its name in JavaScript, its kind, which inputs it updates in place. Shapes: shape_infer.h.
#pragma once
#include <string>
#include <vector>

#include "core/op.h"
#include "core/tensor.h"

namespace residua {

// Checks inputs (throws Error kShape, kDType, ...) and gives the outputs' types and logical shapes, layouts left open.
using InferFn = std::vector<TensorDesc> (*)(const Op& op, const std::vector<TensorDesc>& inputs);

struct OpInfo {
  OpKind kind;
  const char* name;  // camelCase: "conv2dBackwardData"
  int min_inputs;
  int max_inputs;  // -1: any number
  InferFn infer;
};

const OpInfo& InfoOf(OpKind kind);
const OpInfo* FindOp(const std::string& name);  // null when there is none

// The cache key of a plan: kind, parameters, and each input's type, shape and layout.
std::string PlanKey(const Op& op, const std::vector<TensorDesc>& inputs);

}  // namespace residua
