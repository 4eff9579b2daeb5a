// Each kind of misuse of descriptors is refused, with the status of its kind and a text. Operations and graphs:
// cudnn_operation_refusals_test.cc.
#include "cuda_emulation/cudnn_test_support.h"

namespace residua::cudnn_test {
namespace {

const Dims kImage = {2, 8, 5, 5}, kChannels = {1, 8, 1, 1};

struct Attribute {
  cudnnBackendAttributeName_t name;
  cudnnBackendAttributeType_t type;
  std::vector<int64_t> values;  // int and bool attributes are narrowed
};

cudnnStatus_t TrySet(const Descriptor& descriptor, const Attribute& attribute) {
  const int64_t count = static_cast<int64_t>(attribute.values.size());
  std::vector<int> narrow(attribute.values.begin(), attribute.values.end());
  const bool wide = attribute.type == CUDNN_TYPE_INT64;
  const void* data = wide ? static_cast<const void*>(attribute.values.data()) : narrow.data();
  return cudnnBackendSetAttribute(descriptor.get(), attribute.name, attribute.type, count, data);
}

// The descriptor from these attributes without number `left_out` (-1: with all): the status of finalising.
cudnnStatus_t FinalizeWithout(cudnnBackendDescriptorType_t type, const std::vector<Attribute>& attributes,
                              int left_out) {
  Descriptor descriptor(type);
  for (int i = 0; i < static_cast<int>(attributes.size()); ++i) {
    if (i != left_out) MUST(TrySet(descriptor, attributes[static_cast<size_t>(i)]));
  }
  return descriptor.TryFinalize();
}

void RequireAllNeeded(cudnnBackendDescriptorType_t type, const std::vector<Attribute>& attributes) {
  RequireStatus(FinalizeWithout(type, attributes, -1), CUDNN_STATUS_SUCCESS, "all attributes");
  for (int i = 0; i < static_cast<int>(attributes.size()); ++i) {
    RequireStatus(FinalizeWithout(type, attributes, i), CUDNN_STATUS_BAD_PARAM,
                  "without attribute " + std::to_string(attributes[static_cast<size_t>(i)].name));
  }
}

std::vector<Attribute> TensorAttributes() {
  return {{CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT}},
          {CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, kImage},
          {CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, NhwcStrides(kImage)},
          {CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, {1}},
          {CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, {16}}};
}

std::vector<Attribute> ConvolutionAttributes() {
  return {{CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, {2}},
          {CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT}},
          {CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, {CUDNN_CROSS_CORRELATION}},
          {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, {1, 1}},
          {CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, {1, 1}},
          {CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, {1, 1}},
          {CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, {1, 1}}};
}

std::vector<Attribute> ResampleAttributes() {
  return {{CUDNN_ATTR_RESAMPLE_MODE, CUDNN_TYPE_RESAMPLE_MODE, {CUDNN_RESAMPLE_MAXPOOL}},
          {CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS, CUDNN_TYPE_INT64, {2}},
          {CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, CUDNN_TYPE_INT64, {2, 2}},
          {CUDNN_ATTR_RESAMPLE_STRIDES, CUDNN_TYPE_INT64, {2, 2}},
          {CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, CUDNN_TYPE_INT64, {0, 0}},
          {CUDNN_ATTR_RESAMPLE_POST_PADDINGS, CUDNN_TYPE_INT64, {0, 0}}};
}

// The same attributes, one of them with another value.
void RequireRefused(cudnnBackendDescriptorType_t type, std::vector<Attribute> attributes, size_t changed,
                    const std::vector<int64_t>& values, cudnnStatus_t expected = CUDNN_STATUS_BAD_PARAM) {
  attributes[changed].values = values;
  RequireStatus(FinalizeWithout(type, attributes, -1), expected,
                "attribute " + std::to_string(attributes[changed].name) + " with a wrong value");
}

void CheckTensors() {
  const auto type = CUDNN_BACKEND_TENSOR_DESCRIPTOR;
  RequireAllNeeded(type, TensorAttributes());
  RequireRefused(type, TensorAttributes(), 1, {2, 8, 5});  // rank of dims and strides
  RequireRefused(type, TensorAttributes(), 1, {2, 0, 5, 5});
  RequireRefused(type, TensorAttributes(), 1, {2, -8, 5, 5});
  RequireRefused(type, TensorAttributes(), 2, {-1, 1, 40, 8});
  RequireRefused(type, TensorAttributes(), 4, {2});  // not a multiple of a float
  RequireRefused(type, TensorAttributes(), 4, {0});
  RequireRefused(type, TensorAttributes(), 0, {CUDNN_DATA_FP8_E4M3}, CUDNN_STATUS_NOT_SUPPORTED);
}

void CheckTensorsByValue() {
  Graph graph;
  graph.Scalar();
  for (const bool is_virtual : {false, true}) {
    Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    const Dims dims = is_virtual ? Dims{1, 1, 1, 1} : kChannels;
    tensor.Set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT).Set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims);
    tensor.Set(CUDNN_ATTR_TENSOR_STRIDES, NhwcStrides(dims)).Set(CUDNN_ATTR_TENSOR_UNIQUE_ID, Dims{1});
    tensor.Set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, Dims{4}).SetBool(CUDNN_ATTR_TENSOR_IS_BY_VALUE, true);
    tensor.SetBool(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_virtual);
    RequireStatus(tensor.TryFinalize(), CUDNN_STATUS_BAD_PARAM, "more than one element, or virtual, by value");
  }
}

void CheckParameters() {
  const auto convolution = CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR;
  RequireAllNeeded(convolution, ConvolutionAttributes());
  RequireRefused(convolution, ConvolutionAttributes(), 3, {1, 1, 1});
  RequireRefused(convolution, ConvolutionAttributes(), 4, {1});
  RequireRefused(convolution, ConvolutionAttributes(), 3, {-1, 1});
  RequireRefused(convolution, ConvolutionAttributes(), 5, {0, 1});
  RequireRefused(convolution, ConvolutionAttributes(), 6, {1, 0});
  RequireRefused(convolution, ConvolutionAttributes(), 0, {3}, CUDNN_STATUS_NOT_SUPPORTED);
  const auto resample = CUDNN_BACKEND_RESAMPLE_DESCRIPTOR;
  RequireAllNeeded(resample, ResampleAttributes());
  RequireRefused(resample, ResampleAttributes(), 2, {0, 2});
  RequireRefused(resample, ResampleAttributes(), 3, {2, 0});
  RequireRefused(resample, ResampleAttributes(), 4, {-1, 0});
  RequireRefused(resample, ResampleAttributes(), 5, {0});
  RequireAllNeeded(CUDNN_BACKEND_POINTWISE_DESCRIPTOR,
                   {{CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, {CUDNN_POINTWISE_ADD}},
                    {CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT}}});
  std::vector<Attribute> bilinear = ResampleAttributes();
  bilinear[0].values = {CUDNN_RESAMPLE_BILINEAR};
  RequireRefused(resample, bilinear, 2, {3, 3}, CUDNN_STATUS_NOT_SUPPORTED);
  const std::vector<Attribute> reduction = {
      {CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, {CUDNN_REDUCE_TENSOR_ADD}},
      {CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT}}};
  RequireAllNeeded(CUDNN_BACKEND_REDUCTION_DESCRIPTOR, reduction);
  for (const int64_t operation : {CUDNN_REDUCE_TENSOR_AVG, CUDNN_REDUCE_TENSOR_NORM1, CUDNN_REDUCE_TENSOR_NORM2,
                                  CUDNN_REDUCE_TENSOR_MUL_NO_ZEROS}) {
    RequireRefused(CUDNN_BACKEND_REDUCTION_DESCRIPTOR, reduction, 0, {operation}, CUDNN_STATUS_NOT_SUPPORTED);
  }
}

void CheckSetting() {
  Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const auto set = [&](const Attribute& attribute) { return TrySet(tensor, attribute); };
  RequireStatus(set({CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_INT64, {0}}), CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE,
                "wrong attribute type");
  RequireStatus(set({CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, {0, 0}}), CUDNN_STATUS_BAD_PARAM, "two values");
  RequireStatus(set({CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, {99}}), CUDNN_STATUS_BAD_PARAM,
                "unknown enumerator");
  RequireStatus(set({CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, {}}), CUDNN_STATUS_BAD_PARAM, "no value");
  RequireStatus(set({CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, Dims(9, 1)}), CUDNN_STATUS_BAD_PARAM, "rank 9");
  RequireStatus(set({CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, {0}}), CUDNN_STATUS_BAD_PARAM,
                "another descriptor's attribute");
  RequireStatus(cudnnBackendSetAttribute(tensor.get(), CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, nullptr),
                CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "null values");
  for (const Attribute& attribute : TensorAttributes()) MUST(set(attribute));
  tensor.Finalize();
  RequireStatus(set(TensorAttributes()[3]), CUDNN_STATUS_BAD_PARAM, "setting after finalising");
  RequireStatus(tensor.TryFinalize(), CUDNN_STATUS_BAD_PARAM, "finalising twice");
}

void CheckGetting() {
  Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  int64_t count = -1, values[8] = {};
  const auto get = [&](cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t requested) {
    return cudnnBackendGetAttribute(tensor.get(), name, type, requested, &count, values);
  };
  for (const Attribute& attribute : TensorAttributes()) MUST(TrySet(tensor, attribute));
  RequireStatus(get(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4), CUDNN_STATUS_NOT_INITIALIZED,
                "getting before finalising");
  tensor.Finalize();
  MUST(get(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 8));
  Require(count == 4 && values[1] == 8, "the four dimensions");
  MUST(get(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 2));
  Require(count == 2, "two of the four dimensions");
  RequireStatus(get(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_FLOAT, 4), CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE,
                "wrong attribute type");
  RequireStatus(get(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1), CUDNN_STATUS_BAD_PARAM,
                "another descriptor's attribute");
  RequireStatus(get(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1), CUDNN_STATUS_BAD_PARAM, "not set");
}

void CheckHandles() {
  cudnnBackendDescriptor_t descriptor = nullptr;
  RequireStatus(cudnnBackendCreateDescriptor(CUDNN_BACKEND_OPERATION_CONCAT_DESCRIPTOR, &descriptor),
                CUDNN_STATUS_NOT_SUPPORTED, "a descriptor that is not emulated");
  RequireStatus(cudnnBackendCreateDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR, nullptr),
                CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "creating into null");
  RequireStatus(cudnnBackendDestroyDescriptor(nullptr), CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "destroying null");
  RequireStatus(cudnnBackendFinalize(nullptr), CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "finalising null");
  MUST(cudnnBackendCreateDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR, &descriptor));
  MUST(cudnnBackendDestroyDescriptor(descriptor));
  RequireStatus(cudnnBackendFinalize(descriptor), CUDNN_STATUS_BAD_PARAM, "using a destroyed descriptor");
  RequireStatus(cudnnBackendDestroyDescriptor(descriptor), CUDNN_STATUS_BAD_PARAM, "destroying twice");
  cudnnHandle_t handle = nullptr;
  MUST(cudnnCreate(&handle));
  RequireStatus(cudnnSetStream(handle, reinterpret_cast<cudaStream_t>(handle)), CUDNN_STATUS_BAD_PARAM, "no stream");
  MUST(cudnnDestroy(handle));
  RequireStatus(cudnnDestroy(handle), CUDNN_STATUS_BAD_PARAM, "destroying a handle twice");
  RequireStatus(cudnnSetStream(handle, nullptr), CUDNN_STATUS_BAD_PARAM, "using a destroyed handle");
}

void CheckReferences() {
  Graph graph;
  const Graph::Tensor x = graph.Add(CUDNN_DATA_FLOAT, kImage);
  Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  const Descriptor unfinished(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const auto set = [&](cudnnBackendAttributeName_t name, const Descriptor& value) {
    return operation.TrySet<cudnnBackendDescriptor_t>(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, {value.get()});
  };
  RequireStatus(set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, unfinished), CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED,
                "a tensor that is not finalised");
  RequireStatus(set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, graph.At(x)), CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE,
                "a tensor for parameters");
  Descriptor operation_graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  RequireStatus(operation_graph.TrySet<cudnnBackendDescriptor_t>(CUDNN_ATTR_OPERATIONGRAPH_OPS,
                                                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, {graph.At(x).get()}),
                CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, "a tensor for an operation");
}

}  // namespace

void AddRefusalChecks(std::vector<Check>* checks) {
  checks->push_back({"refusals: tensors", CheckTensors});
  checks->push_back({"refusals: tensors by value", CheckTensorsByValue});
  checks->push_back({"refusals: parameters of operations", CheckParameters});
  checks->push_back({"refusals: setting attributes", CheckSetting});
  checks->push_back({"refusals: getting attributes", CheckGetting});
  checks->push_back({"refusals: handles and descriptors that do not live", CheckHandles});
  checks->push_back({"refusals: references to other descriptors", CheckReferences});
}

}  // namespace residua::cudnn_test
