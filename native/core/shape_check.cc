// Checks that the shape functions share.
#include "core/shape_check.h"

#include <sstream>

#include "core/op_table.h"

namespace residua {

namespace {

std::string ToText(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

}  // namespace

Check::Check(const Op& op) : op_(InfoOf(op.kind).name) {}

void Check::Fail(ErrorCode code, const std::string& argument, const std::string& expected,
                 const std::string& found) const {
  const std::string message = std::string(op_) + " expected " + argument + " " + expected + ", got " + found + ".";
  throw Error(code, message, {{"op", op_}, {"argument", argument}, {"expected", expected}, {"found", found}});
}

void Check::FailShape(const char* argument, const std::string& expected, const TensorDesc& found) const {
  Fail(ErrorCode::kShape, argument, expected, ToString(found.shape));
}

void Check::Rank(const char* argument, const TensorDesc& tensor, size_t rank) const {
  RankBetween(argument, tensor, rank, rank);
}

void Check::RankBetween(const char* argument, const TensorDesc& tensor, size_t low, size_t high) const {
  const size_t rank = tensor.shape.size();
  if (rank >= low && rank <= high) return;
  const std::string range = low == high ? std::to_string(low) : std::to_string(low) + " to " + std::to_string(high);
  FailShape(argument, "of " + range + " dimensions", tensor);
}

void Check::HasShape(const char* argument, const TensorDesc& tensor, const Shape& shape) const {
  if (tensor.shape != shape) FailShape(argument, "of shape " + ToString(shape), tensor);
}

void Check::NotEmpty(const char* argument, const TensorDesc& tensor) const {
  if (NumElements(tensor.shape) == 0) {
    Fail(ErrorCode::kShape, argument, "with at least one element", "an empty one, " + ToString(tensor.shape));
  }
}

void Check::Type(const char* argument, const TensorDesc& tensor, DType dtype) const {
  if (tensor.dtype != dtype) {
    Fail(ErrorCode::kDType, argument, std::string("of type ") + Name(dtype), Name(tensor.dtype));
  }
}

void Check::Float(const char* argument, const TensorDesc& tensor) const {
  if (!IsFloat(tensor.dtype)) {
    Fail(ErrorCode::kDType, argument, "of type float32, bfloat16 or float16", Name(tensor.dtype));
  }
}

void Check::Image(const char* argument, const TensorDesc& tensor, size_t rank) const {
  Float(argument, tensor);
  Rank(argument, tensor, rank);
  NotEmpty(argument, tensor);
}

void Check::SameType(const char* argument, const TensorDesc& tensor, const char* other, const TensorDesc& as) const {
  if (tensor.dtype == as.dtype) return;
  Fail(ErrorCode::kDType, argument, std::string("of type ") + Name(as.dtype) + ", as " + other, Name(tensor.dtype));
}

void Check::AtLeast(const char* attribute, int64_t value, int64_t minimum) const {
  if (value < minimum) {
    Fail(ErrorCode::kConfig, attribute, "to be at least " + std::to_string(minimum), std::to_string(value));
  }
}

void Check::Between(const char* attribute, double value, double low, double high) const {
  if (value >= low && value <= high) return;
  Fail(ErrorCode::kConfig, attribute, "to be from " + ToText(low) + " to " + ToText(high), ToText(value));
}

void Check::Axis(int64_t axis, const TensorDesc& tensor) const {
  const auto rank = static_cast<int64_t>(tensor.shape.size());
  if (axis >= 0 && axis < rank) return;
  Fail(ErrorCode::kShape, "axis", "to be one of the " + std::to_string(rank) + " of x " + ToString(tensor.shape),
       std::to_string(axis));
}

TensorDesc Check::Output(DType dtype, Shape shape) const {
  int64_t count = 0;
  if (!CountElements(shape, &count)) Fail(ErrorCode::kShape, "a result", "of at most 2^53 elements", ToString(shape));
  return PlainDesc(dtype, std::move(shape));
}

}  // namespace residua
