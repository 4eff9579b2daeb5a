// Checks that the shape functions share. A failure names the op, the argument, what was expected and what came.
#pragma once
#include <string>

#include "core/op.h"
#include "core/tensor.h"

namespace residua {

class Check {
 public:
  explicit Check(const Op& op);

  // "<op> expected <argument> <expected>, got <found>."
  [[noreturn]] void Fail(ErrorCode code, const std::string& argument, const std::string& expected,
                         const std::string& found) const;
  [[noreturn]] void FailShape(const char* argument, const std::string& expected, const TensorDesc& found) const;

  void Rank(const char* argument, const TensorDesc& tensor, size_t rank) const;
  void RankBetween(const char* argument, const TensorDesc& tensor, size_t low, size_t high) const;
  void HasShape(const char* argument, const TensorDesc& tensor, const Shape& shape) const;
  void NotEmpty(const char* argument, const TensorDesc& tensor) const;

  void Type(const char* argument, const TensorDesc& tensor, DType dtype) const;
  void Float(const char* argument, const TensorDesc& tensor) const;
  // A tensor of floats, of the given rank and with elements.
  void Image(const char* argument, const TensorDesc& tensor, size_t rank) const;
  // The same type as that of an earlier argument.
  void SameType(const char* argument, const TensorDesc& tensor, const char* other, const TensorDesc& as) const;

  void AtLeast(const char* attribute, int64_t value, int64_t minimum) const;
  // NaN is out of every range.
  void Between(const char* attribute, double value, double low, double high) const;
  void Axis(int64_t axis, const TensorDesc& tensor) const;

  // The description of an output; ShapeError where it has more elements than can be counted.
  TensorDesc Output(DType dtype, Shape shape) const;

 private:
  const char* op_;
};

}  // namespace residua
