// Finalising: which checks a descriptor gets, and those of the descriptors of parameters.
#include "cuda_emulation/cudnn_finalize.h"

#include <algorithm>
#include <set>

#include "cuda_emulation/cudnn_attributes.h"
#include "cuda_emulation/cudnn_tensor.h"

namespace residua::cuda_emulation {
namespace {

using Integers = std::vector<int64_t>;

void RequireLength(const Integers& values, size_t length, const char* name) {
  if (values.size() == length) return;
  Refuse(CUDNN_STATUS_BAD_PARAM, std::string(name) + " needs " + std::to_string(length) + " values, got " +
                                     std::to_string(values.size()) + ".");
}

void RequireAtLeast(const Integers& values, int64_t least, const char* name) {
  if (*std::min_element(values.begin(), values.end()) >= least) return;
  Refuse(CUDNN_STATUS_BAD_PARAM, std::string(name) + " must be at least " + std::to_string(least) + ".");
}

size_t SpatialDims(const Descriptor& descriptor, cudnnBackendAttributeName_t name) {
  const int64_t dims = descriptor.Get<int64_t>(name);
  if (dims != 2) {
    Refuse(CUDNN_STATUS_NOT_SUPPORTED, "The emulation has 2 spatial dimensions, got " + std::to_string(dims) + ".");
  }
  return static_cast<size_t>(dims);
}

void CheckVariantPack(const Descriptor& pack) {
  const Integers uids = pack.Integers(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  if (pack.values.at(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).count != static_cast<int64_t>(uids.size())) {
    Refuse(CUDNN_STATUS_BAD_PARAM, "A variant pack needs as many pointers as unique ids.");
  }
  if (std::set<int64_t>(uids.begin(), uids.end()).size() != uids.size()) {
    Refuse(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES, "A unique id comes twice in the variant pack.");
  }
}

void CheckDeviceProperties(const Descriptor& properties) {
  for (const auto name :
       {CUDNN_ATTR_DEVICEPROP_DEVICE_ID, CUDNN_ATTR_DEVICEPROP_HANDLE, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION}) {
    if (properties.Has(name)) return;
  }
  Refuse(CUDNN_STATUS_BAD_PARAM, "Device properties need a device, a handle or a JSON text.");
}

}  // namespace

void CheckTensor(const Descriptor& tensor) {
  const Integers dims = tensor.Integers(CUDNN_ATTR_TENSOR_DIMENSIONS);
  RequireLength(tensor.Integers(CUDNN_ATTR_TENSOR_STRIDES), dims.size(), "CUDNN_ATTR_TENSOR_STRIDES");
  RequireAtLeast(dims, 1, "CUDNN_ATTR_TENSOR_DIMENSIONS");
  RequireAtLeast(tensor.Integers(CUDNN_ATTR_TENSOR_STRIDES), 0, "CUDNN_ATTR_TENSOR_STRIDES");
  const int64_t alignment = tensor.Get<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
  const int64_t element = ElementBytes(tensor.Get<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE));
  if (alignment <= 0 || alignment % element != 0) {
    Refuse(CUDNN_STATUS_BAD_PARAM, "CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT must be a multiple of the element's " +
                                       std::to_string(element) + " bytes, got " + std::to_string(alignment) + ".");
  }
  const bool by_value = tensor.GetOr<bool>(CUDNN_ATTR_TENSOR_IS_BY_VALUE, false);
  if (!by_value) return;
  if (*std::max_element(dims.begin(), dims.end()) != 1) {
    Refuse(CUDNN_STATUS_BAD_PARAM, "A tensor by value has one element.");
  }
  if (tensor.GetOr<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL, false)) {
    Refuse(CUDNN_STATUS_BAD_PARAM, "A tensor cannot be virtual and by value.");
  }
}

void CheckConvolutionParameters(const Descriptor& convolution) {
  const size_t dims = SpatialDims(convolution, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS);
  const auto check = [&](cudnnBackendAttributeName_t name, int64_t least, const char* text) {
    RequireLength(convolution.Integers(name), dims, text);
    RequireAtLeast(convolution.Integers(name), least, text);
  };
  check(CUDNN_ATTR_CONVOLUTION_DILATIONS, 1, "CUDNN_ATTR_CONVOLUTION_DILATIONS");
  check(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 1, "CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES");
  check(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 0, "CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS");
  check(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 0, "CUDNN_ATTR_CONVOLUTION_POST_PADDINGS");
}

void CheckResampleParameters(const Descriptor& resample) {
  const size_t dims = SpatialDims(resample, CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS);
  const auto check = [&](cudnnBackendAttributeName_t name, int64_t least, const char* text) {
    RequireLength(resample.Integers(name), dims, text);
    RequireAtLeast(resample.Integers(name), least, text);
  };
  check(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, 1, "CUDNN_ATTR_RESAMPLE_WINDOW_DIMS");
  check(CUDNN_ATTR_RESAMPLE_STRIDES, 1, "CUDNN_ATTR_RESAMPLE_STRIDES");
  check(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, 0, "CUDNN_ATTR_RESAMPLE_PRE_PADDINGS");
  check(CUDNN_ATTR_RESAMPLE_POST_PADDINGS, 0, "CUDNN_ATTR_RESAMPLE_POST_PADDINGS");
  const auto mode = resample.Get<cudnnResampleMode_t>(CUDNN_ATTR_RESAMPLE_MODE);
  const bool interpolates = mode == CUDNN_RESAMPLE_BILINEAR || mode == CUDNN_RESAMPLE_NEAREST;
  if (interpolates && resample.Integers(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS) != Integers{2, 2}) {
    Refuse(CUDNN_STATUS_NOT_SUPPORTED, "Bilinear and nearest resampling have a window of 2 by 2.");
  }
}

void CheckReductionParameters(const Descriptor& reduction) {
  switch (reduction.Get<cudnnReduceTensorOp_t>(CUDNN_ATTR_REDUCTION_OPERATOR)) {
    case CUDNN_REDUCE_TENSOR_ADD:
    case CUDNN_REDUCE_TENSOR_MUL:
    case CUDNN_REDUCE_TENSOR_MIN:
    case CUDNN_REDUCE_TENSOR_MAX:
    case CUDNN_REDUCE_TENSOR_AMAX:
      return;
    default:
      Refuse(CUDNN_STATUS_NOT_SUPPORTED, "Reductions add, multiply, or take the least, the most or the largest size.");
  }
}

namespace {

void RequireAttributes(const Descriptor& descriptor) {
  const DescriptorRule& rules = *RuleOf(descriptor.type);
  for (const AttributeRule& rule : rules.attributes) {
    if (rule.need != Need::kRequired || descriptor.Has(rule.name)) continue;
    Refuse(CUDNN_STATUS_BAD_PARAM, std::string(rules.text) + " needs " + rule.text + ".");
  }
}

void Complete(Descriptor* descriptor) {
  switch (descriptor->type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
      return CheckTensor(*descriptor);
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
      return CheckConvolutionParameters(*descriptor);
    case CUDNN_BACKEND_RESAMPLE_DESCRIPTOR:
      return CheckResampleParameters(*descriptor);
    case CUDNN_BACKEND_REDUCTION_DESCRIPTOR:
      return CheckReductionParameters(*descriptor);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
      return CheckConvolution(*descriptor);
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
      return CheckPointwise(*descriptor);
    case CUDNN_BACKEND_OPERATION_GEN_STATS_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR:
      return CheckReductionOrStatistics(*descriptor);
    case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR:
      return CheckResample(*descriptor);
    case CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR:
      return CheckNormForward(*descriptor);
    case CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR:
      return CheckNormBackward(*descriptor);
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
      return CompleteOperationGraph(descriptor);
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
      return CompleteHeuristics(descriptor);
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR:
      return CompleteEngine(descriptor);
    case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR:
      return CompleteEngineConfiguration(descriptor);
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
      return CompleteExecutionPlan(descriptor);
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
      return CheckVariantPack(*descriptor);
    case CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR:
      return CheckDeviceProperties(*descriptor);
    default:
      return;  // pointwise parameters: nothing beyond the table
  }
}

}  // namespace

void Finalize(Descriptor* descriptor) {
  RequireAttributes(*descriptor);
  Complete(descriptor);
  descriptor->finalized = true;
}

}  // namespace residua::cuda_emulation
