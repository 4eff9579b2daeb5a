// The table of attributes. Operations: cudnn_operation_attributes.cc.
#include "cuda_emulation/cudnn_attributes.h"

#include "cuda_emulation/cudnn_attribute_macros.h"

namespace residua::cuda_emulation {

std::vector<DescriptorRule> OperationRules();  // cudnn_operation_attributes.cc

namespace {

constexpr int64_t kMany = int64_t{1} << 40;

std::vector<DescriptorRule> ParameterRules() {
  return {
      {RESIDUA_DESCRIPTOR(TENSOR),
       {RESIDUA_VALUE(TENSOR_DATA_TYPE, DATA_TYPE, 1, 1, kRequired),
        RESIDUA_VALUE(TENSOR_DIMENSIONS, INT64, 1, 8, kRequired), RESIDUA_VALUE(TENSOR_STRIDES, INT64, 1, 8, kRequired),
        RESIDUA_VALUE(TENSOR_UNIQUE_ID, INT64, 1, 1, kRequired),
        RESIDUA_VALUE(TENSOR_BYTE_ALIGNMENT, INT64, 1, 1, kRequired),
        RESIDUA_VALUE(TENSOR_IS_VIRTUAL, BOOLEAN, 1, 1, kOptional),
        RESIDUA_VALUE(TENSOR_IS_BY_VALUE, BOOLEAN, 1, 1, kOptional)}},
      {RESIDUA_DESCRIPTOR(CONVOLUTION),
       {RESIDUA_VALUE(CONVOLUTION_COMP_TYPE, DATA_TYPE, 1, 1, kRequired),
        RESIDUA_VALUE(CONVOLUTION_CONV_MODE, CONVOLUTION_MODE, 1, 1, kRequired),
        RESIDUA_VALUE(CONVOLUTION_SPATIAL_DIMS, INT64, 1, 1, kRequired),
        RESIDUA_VALUE(CONVOLUTION_DILATIONS, INT64, 1, 6, kRequired),
        RESIDUA_VALUE(CONVOLUTION_FILTER_STRIDES, INT64, 1, 6, kRequired),
        RESIDUA_VALUE(CONVOLUTION_PRE_PADDINGS, INT64, 1, 6, kRequired),
        RESIDUA_VALUE(CONVOLUTION_POST_PADDINGS, INT64, 1, 6, kRequired)}},
      {RESIDUA_DESCRIPTOR(POINTWISE),
       {RESIDUA_VALUE(POINTWISE_MODE, POINTWISE_MODE, 1, 1, kRequired),
        RESIDUA_VALUE(POINTWISE_MATH_PREC, DATA_TYPE, 1, 1, kRequired),
        RESIDUA_VALUE(POINTWISE_NAN_PROPAGATION, NAN_PROPOGATION, 1, 1, kOptional),
        RESIDUA_VALUE(POINTWISE_RELU_LOWER_CLIP, FLOAT, 1, 1, kOptional),
        RESIDUA_VALUE(POINTWISE_RELU_UPPER_CLIP, FLOAT, 1, 1, kOptional),
        RESIDUA_VALUE(POINTWISE_RELU_LOWER_CLIP_SLOPE, FLOAT, 1, 1, kOptional),
        RESIDUA_VALUE(POINTWISE_ELU_ALPHA, FLOAT, 1, 1, kOptional),
        RESIDUA_VALUE(POINTWISE_SOFTPLUS_BETA, FLOAT, 1, 1, kOptional),
        RESIDUA_VALUE(POINTWISE_SWISH_BETA, FLOAT, 1, 1, kOptional)}},
      {RESIDUA_DESCRIPTOR(RESAMPLE),
       {RESIDUA_VALUE(RESAMPLE_MODE, RESAMPLE_MODE, 1, 1, kRequired),
        RESIDUA_VALUE(RESAMPLE_COMP_TYPE, DATA_TYPE, 1, 1, kOptional),
        RESIDUA_VALUE(RESAMPLE_NAN_PROPAGATION, NAN_PROPOGATION, 1, 1, kOptional),
        RESIDUA_VALUE(RESAMPLE_SPATIAL_DIMS, INT64, 1, 1, kRequired),
        RESIDUA_VALUE(RESAMPLE_PADDING_MODE, PADDING_MODE, 1, 1, kOptional),
        RESIDUA_VALUE(RESAMPLE_WINDOW_DIMS, INT64, 1, 6, kRequired),
        RESIDUA_VALUE(RESAMPLE_STRIDES, INT64, 1, 6, kRequired),
        RESIDUA_VALUE(RESAMPLE_PRE_PADDINGS, INT64, 1, 6, kRequired),
        RESIDUA_VALUE(RESAMPLE_POST_PADDINGS, INT64, 1, 6, kRequired)}},
      {RESIDUA_DESCRIPTOR(REDUCTION),
       {RESIDUA_VALUE(REDUCTION_OPERATOR, REDUCTION_OPERATOR_TYPE, 1, 1, kRequired),
        RESIDUA_VALUE(REDUCTION_COMP_TYPE, DATA_TYPE, 1, 1, kRequired)}},
  };
}

std::vector<DescriptorRule> PlanRules() {
  return {
      {RESIDUA_DESCRIPTOR(OPERATIONGRAPH),
       {RESIDUA_VALUE(OPERATIONGRAPH_HANDLE, HANDLE, 1, 1, kOptional),
        {CUDNN_ATTR_OPERATIONGRAPH_OPS, "CUDNN_ATTR_OPERATIONGRAPH_OPS", CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, kMany,
         Need::kRequired, kAnyOperation},
        RESIDUA_VALUE(OPERATIONGRAPH_ENGINE_GLOBAL_COUNT, INT64, 1, 1, kReadOnly)}},
      {RESIDUA_DESCRIPTOR(ENGINEHEUR),
       {RESIDUA_REFERENCE(ENGINEHEUR_OPERATION_GRAPH, OPERATIONGRAPH, kRequired),
        RESIDUA_VALUE(ENGINEHEUR_MODE, HEUR_MODE, 1, 1, kRequired),
        RESIDUA_REFERENCE(ENGINEHEUR_DEVICEPROP, DEVICEPROP, kOptional),
        {CUDNN_ATTR_ENGINEHEUR_RESULTS, "CUDNN_ATTR_ENGINEHEUR_RESULTS", CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, kMany,
         Need::kReadOnly, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR}}},
      {RESIDUA_DESCRIPTOR(ENGINE),
       {RESIDUA_REFERENCE(ENGINE_OPERATION_GRAPH, OPERATIONGRAPH, kRequired),
        RESIDUA_VALUE(ENGINE_GLOBAL_INDEX, INT64, 1, 1, kRequired),
        RESIDUA_REFERENCE(ENGINE_DEVICEPROP, DEVICEPROP, kOptional),
        RESIDUA_VALUE(ENGINE_NUMERICAL_NOTE, NUMERICAL_NOTE, 0, kMany, kReadOnly),
        RESIDUA_VALUE(ENGINE_BEHAVIOR_NOTE, BEHAVIOR_NOTE, 0, kMany, kReadOnly)}},
      {RESIDUA_DESCRIPTOR(ENGINECFG),
       {RESIDUA_REFERENCE(ENGINECFG_ENGINE, ENGINE, kRequired),
        RESIDUA_VALUE(ENGINECFG_WORKSPACE_SIZE, INT64, 1, 1, kReadOnly)}},
      // Configuration and JSON text: one of the two; handle and device properties likewise (cudnn_plan.cc).
      {RESIDUA_DESCRIPTOR(EXECUTION_PLAN),
       {RESIDUA_REFERENCE(EXECUTION_PLAN_ENGINE_CONFIG, ENGINECFG, kOptional),
        RESIDUA_VALUE(EXECUTION_PLAN_HANDLE, HANDLE, 1, 1, kOptional),
        RESIDUA_REFERENCE(EXECUTION_PLAN_DEVICEPROP, DEVICEPROP, kOptional),
        RESIDUA_VALUE(EXECUTION_PLAN_JSON_REPRESENTATION, CHAR, 1, kMany, kOptional),
        RESIDUA_VALUE(EXECUTION_PLAN_WORKSPACE_SIZE, INT64, 1, 1, kReadOnly)}},
      {RESIDUA_DESCRIPTOR(VARIANT_PACK),
       {RESIDUA_VALUE(VARIANT_PACK_UNIQUE_IDS, INT64, 1, kMany, kRequired),
        RESIDUA_VALUE(VARIANT_PACK_DATA_POINTERS, VOID_PTR, 1, kMany, kRequired),
        RESIDUA_VALUE(VARIANT_PACK_WORKSPACE, VOID_PTR, 1, 1, kRequired)}},
      {RESIDUA_DESCRIPTOR(DEVICEPROP),
       {RESIDUA_VALUE(DEVICEPROP_DEVICE_ID, INT32, 1, 1, kOptional),
        RESIDUA_VALUE(DEVICEPROP_HANDLE, HANDLE, 1, 1, kOptional),
        RESIDUA_VALUE(DEVICEPROP_JSON_REPRESENTATION, CHAR, 1, kMany, kOptional)}},
  };
}

const std::vector<DescriptorRule>& Rules() {
  static const std::vector<DescriptorRule> kRules = [] {
    std::vector<DescriptorRule> rules = ParameterRules();
    for (DescriptorRule& rule : OperationRules()) rules.push_back(std::move(rule));
    for (DescriptorRule& rule : PlanRules()) rules.push_back(std::move(rule));
    return rules;
  }();
  return kRules;
}

}  // namespace

const DescriptorRule* RuleOf(cudnnBackendDescriptorType_t type) {
  for (const DescriptorRule& rule : Rules()) {
    if (rule.type == type) return &rule;
  }
  return nullptr;
}

const AttributeRule* RuleOf(cudnnBackendDescriptorType_t type, cudnnBackendAttributeName_t name) {
  const DescriptorRule* descriptor = RuleOf(type);
  if (descriptor == nullptr) return nullptr;
  for (const AttributeRule& rule : descriptor->attributes) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

bool IsOperation(cudnnBackendDescriptorType_t type) {
  switch (type) {
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_GEN_STATS_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR:
      return true;
    default:
      return false;
  }
}

size_t SizeOf(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
      return 8;
    case CUDNN_TYPE_BOOLEAN:
    case CUDNN_TYPE_CHAR:
      return 1;
    default:
      return 4;
  }
}

bool IsKnownValue(cudnnBackendAttributeType_t type, int value) {
  const auto between = [value](int first, int last) { return value >= first && value <= last; };
  switch (type) {
    case CUDNN_TYPE_DATA_TYPE:
      return between(CUDNN_DATA_FLOAT, CUDNN_DATA_UINT32);
    case CUDNN_TYPE_CONVOLUTION_MODE:
      return between(CUDNN_CONVOLUTION, CUDNN_CROSS_CORRELATION);
    case CUDNN_TYPE_HEUR_MODE:
      return between(CUDNN_HEUR_MODE_INSTANT, CUDNN_HEUR_MODE_A);
    case CUDNN_TYPE_NAN_PROPOGATION:
      return between(CUDNN_NOT_PROPAGATE_NAN, CUDNN_PROPAGATE_NAN);
    case CUDNN_TYPE_POINTWISE_MODE:
      return between(0, 23) || between(100, 107) || between(200, 207) || between(300, 305) || between(400, 402) ||
             value == CUDNN_POINTWISE_GEN_INDEX || value == CUDNN_POINTWISE_BINARY_SELECT;
    case CUDNN_TYPE_GENSTATS_MODE:
      return value == CUDNN_GENSTATS_SUM_SQSUM;
    case CUDNN_TYPE_REDUCTION_OPERATOR_TYPE:
      return between(CUDNN_REDUCE_TENSOR_ADD, CUDNN_REDUCE_TENSOR_MUL_NO_ZEROS);
    case CUDNN_TYPE_RESAMPLE_MODE:
      return between(CUDNN_RESAMPLE_NEAREST, CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING);
    case CUDNN_TYPE_PADDING_MODE:
      return between(CUDNN_ZERO_PAD, CUDNN_EDGE_VAL_PAD);
    case CUDNN_TYPE_NORM_MODE:
      return between(CUDNN_LAYER_NORM, CUDNN_ADA_LAYER_NORM);
    case CUDNN_TYPE_NORM_FWD_PHASE:
      return between(CUDNN_NORM_FWD_INFERENCE, CUDNN_NORM_FWD_TRAINING);
    default:
      return true;
  }
}

}  // namespace residua::cuda_emulation
