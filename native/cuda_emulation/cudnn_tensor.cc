// Loads tensors of any type and strides as float values, and stores them.
#include "cuda_emulation/cudnn_tensor.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>
#include <limits>

namespace residua::cuda_emulation {
namespace {

std::array<int64_t, 5> Spread(const std::vector<int64_t>& values, int64_t otherwise) {
  std::array<int64_t, 5> five;
  five.fill(otherwise);
  const size_t rank = values.size();
  for (size_t i = 0; i < rank && i < 2; ++i) five[i] = values[i];
  for (size_t i = 2; i < rank; ++i) five[5 - rank + i] = values[i];
  return five;
}

// Calls body(offset in memory, number in Values) for every element.
template <class Body>
void ForEach(const TensorInfo& tensor, const Body& body) {
  const auto dims = tensor.FiveDims(), strides = tensor.FiveStrides();
  size_t number = 0;
  for (int64_t n = 0; n < dims[0]; ++n) {
    for (int64_t d = 0; d < dims[2]; ++d) {
      for (int64_t h = 0; h < dims[3]; ++h) {
        for (int64_t w = 0; w < dims[4]; ++w) {
          const int64_t pixel = n * strides[0] + d * strides[2] + h * strides[3] + w * strides[4];
          for (int64_t c = 0; c < dims[1]; ++c) body(pixel + c * strides[1], number++);
        }
      }
    }
  }
}

template <class T>
void LoadAs(const TensorInfo& tensor, const void* memory, Values* values) {
  const T* elements = static_cast<const T*>(memory);
  ForEach(tensor, [&](int64_t offset, size_t i) { values->data[i] = static_cast<float>(elements[offset]); });
}

// Integers are rounded to the nearest and held within their range.
template <class T>
T FromFloat(float value) {
  if constexpr (std::numeric_limits<T>::is_integer) {
    if (std::isnan(value)) return 0;
    const double rounded = std::nearbyint(static_cast<double>(value));
    const double least = static_cast<double>(std::numeric_limits<T>::min());
    const double most = static_cast<double>(std::numeric_limits<T>::max());
    return rounded <= least  ? std::numeric_limits<T>::min()
           : rounded >= most ? std::numeric_limits<T>::max()
                             : static_cast<T>(rounded);
  } else {
    return T(value);
  }
}

template <class T>
void StoreAs(const TensorInfo& tensor, const Values& values, void* memory) {
  T* elements = static_cast<T*>(memory);
  ForEach(tensor, [&](int64_t offset, size_t i) { elements[offset] = FromFloat<T>(values.data[i]); });
}

void LoadBits(const TensorInfo& tensor, const void* memory, Values* values) {
  const unsigned char* bytes = static_cast<const unsigned char*>(memory);
  ForEach(tensor, [&](int64_t offset, size_t i) {
    values->data[i] = static_cast<float>(bytes[offset / 8] >> (offset % 8) & 1);
  });
}

void StoreBits(const TensorInfo& tensor, const Values& values, void* memory) {
  unsigned char* bytes = static_cast<unsigned char*>(memory);
  ForEach(tensor, [&](int64_t offset, size_t i) {
    const unsigned char bit = static_cast<unsigned char>(1u << (offset % 8));
    if (values.data[i] != 0) {
      bytes[offset / 8] = static_cast<unsigned char>(bytes[offset / 8] | bit);
    } else {
      bytes[offset / 8] = static_cast<unsigned char>(bytes[offset / 8] & ~bit);
    }
  });
}

}  // namespace

int64_t ElementBytes(cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_DOUBLE:
    case CUDNN_DATA_INT64:
      return 8;
    case CUDNN_DATA_HALF:
    case CUDNN_DATA_BFLOAT16:
      return 2;
    case CUDNN_DATA_INT8:
    case CUDNN_DATA_UINT8:
    case CUDNN_DATA_BOOLEAN:
      return 1;
    case CUDNN_DATA_FLOAT:
    case CUDNN_DATA_INT32:
      return 4;
    default:
      Refuse(CUDNN_STATUS_NOT_SUPPORTED, "The emulation has no tensors of data type " + std::to_string(type) + ".");
  }
}

bool IsFloat(cudnnDataType_t type) {
  return type == CUDNN_DATA_FLOAT || type == CUDNN_DATA_HALF || type == CUDNN_DATA_BFLOAT16;
}

bool TensorInfo::operator==(const TensorInfo& other) const {
  return uid == other.uid && type == other.type && dims == other.dims && strides == other.strides &&
         alignment == other.alignment && is_virtual == other.is_virtual && is_by_value == other.is_by_value;
}

int64_t TensorInfo::elements() const {
  int64_t count = 1;
  for (const int64_t dim : dims) count *= dim;
  return count;
}

int64_t TensorInfo::bytes() const {
  int64_t span = 1;
  for (size_t i = 0; i < dims.size(); ++i) span += (dims[i] - 1) * strides[i];
  return type == CUDNN_DATA_BOOLEAN ? (span + 7) / 8 : span * ElementBytes(type);
}

std::array<int64_t, 5> TensorInfo::FiveDims() const { return Spread(dims, 1); }

std::array<int64_t, 5> TensorInfo::FiveStrides() const { return Spread(strides, 0); }

TensorInfo InfoOf(const Descriptor& tensor) {
  TensorInfo info;
  info.uid = tensor.Get<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
  info.type = tensor.Get<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE);
  info.dims = tensor.Integers(CUDNN_ATTR_TENSOR_DIMENSIONS);
  info.strides = tensor.Integers(CUDNN_ATTR_TENSOR_STRIDES);
  info.alignment = tensor.Get<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
  info.is_virtual = tensor.GetOr<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL, false);
  info.is_by_value = tensor.GetOr<bool>(CUDNN_ATTR_TENSOR_IS_BY_VALUE, false);
  if (info.dims.size() > 5) Refuse(CUDNN_STATUS_NOT_SUPPORTED, "The emulation has tensors of up to 5 dimensions.");
  return info;
}

Values::Values(const std::array<int64_t, 5>& five_dims) : dims(five_dims) {
  data.resize(static_cast<size_t>(dims[0] * dims[1] * dims[2] * dims[3] * dims[4]));
}

Values Load(const TensorInfo& tensor, const void* memory) {
  Values values(tensor.FiveDims());
  switch (tensor.type) {
    case CUDNN_DATA_FLOAT:
      LoadAs<float>(tensor, memory, &values);
      break;
    case CUDNN_DATA_DOUBLE:
      LoadAs<double>(tensor, memory, &values);
      break;
    case CUDNN_DATA_HALF:
      LoadAs<__half>(tensor, memory, &values);
      break;
    case CUDNN_DATA_BFLOAT16:
      LoadAs<__nv_bfloat16>(tensor, memory, &values);
      break;
    case CUDNN_DATA_INT8:
      LoadAs<int8_t>(tensor, memory, &values);
      break;
    case CUDNN_DATA_UINT8:
      LoadAs<uint8_t>(tensor, memory, &values);
      break;
    case CUDNN_DATA_INT32:
      LoadAs<int32_t>(tensor, memory, &values);
      break;
    case CUDNN_DATA_INT64:
      LoadAs<int64_t>(tensor, memory, &values);
      break;
    default:  // boolean: others have no TensorInfo
      LoadBits(tensor, memory, &values);
  }
  return values;
}

void Store(const TensorInfo& tensor, const Values& values, void* memory) {
  switch (tensor.type) {
    case CUDNN_DATA_FLOAT:
      return StoreAs<float>(tensor, values, memory);
    case CUDNN_DATA_DOUBLE:
      return StoreAs<double>(tensor, values, memory);
    case CUDNN_DATA_HALF:
      return StoreAs<__half>(tensor, values, memory);
    case CUDNN_DATA_BFLOAT16:
      return StoreAs<__nv_bfloat16>(tensor, values, memory);
    case CUDNN_DATA_INT8:
      return StoreAs<int8_t>(tensor, values, memory);
    case CUDNN_DATA_UINT8:
      return StoreAs<uint8_t>(tensor, values, memory);
    case CUDNN_DATA_INT32:
      return StoreAs<int32_t>(tensor, values, memory);
    case CUDNN_DATA_INT64:
      return StoreAs<int64_t>(tensor, values, memory);
    default:
      return StoreBits(tensor, values, memory);
  }
}

}  // namespace residua::cuda_emulation
