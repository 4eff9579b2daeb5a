// Pointwise operations, with broadcasting.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cuda_emulation/cudnn_interpreter.h"

namespace residua::cuda_emulation {
namespace {

constexpr float kSqrt2 = 1.41421356237309505f;

struct ActivationParameters {
  float lower, upper, slope, elu_alpha, softplus_beta, swish_beta;
  bool propagates_nan;

  explicit ActivationParameters(const Descriptor& d)
      : lower(Number(d, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, 0)),
        upper(Number(d, CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, std::numeric_limits<float>::infinity())),
        slope(Number(d, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, 0)),
        elu_alpha(Number(d, CUDNN_ATTR_POINTWISE_ELU_ALPHA, 1)),
        softplus_beta(Number(d, CUDNN_ATTR_POINTWISE_SOFTPLUS_BETA, 1)),
        swish_beta(Number(d, CUDNN_ATTR_POINTWISE_SWISH_BETA, 1)),
        propagates_nan(d.GetOr<int>(CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, CUDNN_NOT_PROPAGATE_NAN) ==
                       CUDNN_PROPAGATE_NAN) {}

 private:
  static float Number(const Descriptor& d, cudnnBackendAttributeName_t name, double otherwise) {
    return static_cast<float>(d.Number(name, otherwise));
  }
};

float Sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

float Relu(const ActivationParameters& p, float x) {
  if (std::isnan(x) && !p.propagates_nan) return p.lower;
  if (x < p.lower) return p.lower + p.slope * (x - p.lower);
  return x > p.upper ? p.upper : x;
}

// One input.
float Unary(cudnnPointwiseMode_t mode, const ActivationParameters& p, float x) {
  switch (mode) {
    case CUDNN_POINTWISE_SQRT:
      return std::sqrt(x);
    case CUDNN_POINTWISE_RSQRT:
      return 1 / std::sqrt(x);
    case CUDNN_POINTWISE_RECIPROCAL:
      return 1 / x;
    case CUDNN_POINTWISE_ABS:
      return std::fabs(x);
    case CUDNN_POINTWISE_NEG:
      return -x;
    case CUDNN_POINTWISE_CEIL:
      return std::ceil(x);
    case CUDNN_POINTWISE_FLOOR:
      return std::floor(x);
    case CUDNN_POINTWISE_EXP:
      return std::exp(x);
    case CUDNN_POINTWISE_LOG:
      return std::log(x);
    case CUDNN_POINTWISE_SIN:
      return std::sin(x);
    case CUDNN_POINTWISE_COS:
      return std::cos(x);
    case CUDNN_POINTWISE_TAN:
      return std::tan(x);
    case CUDNN_POINTWISE_ERF:
      return std::erf(x);
    case CUDNN_POINTWISE_LOGICAL_NOT:
      return x == 0 ? 1.0f : 0.0f;
    case CUDNN_POINTWISE_RELU_FWD:
      return Relu(p, x);
    case CUDNN_POINTWISE_TANH_FWD:
      return std::tanh(x);
    case CUDNN_POINTWISE_SIGMOID_FWD:
      return Sigmoid(x);
    case CUDNN_POINTWISE_ELU_FWD:
      return x > 0 ? x : p.elu_alpha * std::expm1(x);
    case CUDNN_POINTWISE_GELU_FWD:
      return x * 0.5f * (1 + std::erf(x / kSqrt2));
    case CUDNN_POINTWISE_SOFTPLUS_FWD:
      return std::log1p(std::exp(p.softplus_beta * x)) / p.softplus_beta;
    case CUDNN_POINTWISE_SWISH_FWD:
      return x * Sigmoid(p.swish_beta * x);
    default:
      return x;  // identity
  }
}

float Boolean(bool value) { return value ? 1.0f : 0.0f; }

// Two inputs; going back, x is the forward input and b is dy.
float Binary(cudnnPointwiseMode_t mode, const ActivationParameters& p, float x, float b) {
  switch (mode) {
    case CUDNN_POINTWISE_ADD:
      return x + b;
    case CUDNN_POINTWISE_ADD_SQUARE:
      return x + b * b;
    case CUDNN_POINTWISE_SUB:
      return x - b;
    case CUDNN_POINTWISE_MUL:
      return x * b;
    case CUDNN_POINTWISE_DIV:
      return x / b;
    case CUDNN_POINTWISE_MAX:
      return std::max(x, b);
    case CUDNN_POINTWISE_MIN:
      return std::min(x, b);
    case CUDNN_POINTWISE_MOD:
      return std::fmod(x, b);
    case CUDNN_POINTWISE_POW:
      return std::pow(x, b);
    case CUDNN_POINTWISE_CMP_EQ:
      return Boolean(x == b);
    case CUDNN_POINTWISE_CMP_NEQ:
      return Boolean(x != b);
    case CUDNN_POINTWISE_CMP_GT:
      return Boolean(x > b);
    case CUDNN_POINTWISE_CMP_GE:
      return Boolean(x >= b);
    case CUDNN_POINTWISE_CMP_LT:
      return Boolean(x < b);
    case CUDNN_POINTWISE_CMP_LE:
      return Boolean(x <= b);
    case CUDNN_POINTWISE_LOGICAL_AND:
      return Boolean(x != 0 && b != 0);
    case CUDNN_POINTWISE_LOGICAL_OR:
      return Boolean(x != 0 || b != 0);
    case CUDNN_POINTWISE_RELU_BWD:
      return x > p.lower ? (x < p.upper ? b : 0.0f) : p.slope * b;
    case CUDNN_POINTWISE_TANH_BWD:
      return b * (1 - std::tanh(x) * std::tanh(x));
    default:  // CUDNN_POINTWISE_SIGMOID_BWD
      return b * Sigmoid(x) * (1 - Sigmoid(x));
  }
}

// Steps through an operand as the result is walked in the order n, d, h, w, c.
class Cursor {
 public:
  Cursor(const Values* values, const Values& result) : values_(values) {
    if (values == nullptr) return;
    int64_t stride = 1;
    for (const size_t axis : {1, 4, 3, 2, 0}) {
      strides_[axis] = values->dims[axis] == 1 ? 0 : stride;
      stride *= values->dims[axis];
    }
    dense_ = values->dims == result.dims;
  }
  float At(size_t number, const std::array<int64_t, 5>& index) const {
    if (values_ == nullptr) return 0;
    if (dense_) return values_->data[number];
    int64_t at = 0;
    for (size_t axis = 0; axis < 5; ++axis) at += index[axis] * strides_[axis];
    return values_->data[static_cast<size_t>(at)];
  }

 private:
  const Values* values_;
  std::array<int64_t, 5> strides_{};
  bool dense_ = false;
};

void Advance(const std::array<int64_t, 5>& dims, std::array<int64_t, 5>* index) {
  for (const size_t axis : {1, 4, 3, 2, 0}) {
    if (++(*index)[axis] < dims[axis]) return;
    (*index)[axis] = 0;
  }
}

}  // namespace

int InputsOf(cudnnPointwiseMode_t mode) {
  switch (mode) {
    case CUDNN_POINTWISE_SQRT:
    case CUDNN_POINTWISE_RSQRT:
    case CUDNN_POINTWISE_RECIPROCAL:
    case CUDNN_POINTWISE_ABS:
    case CUDNN_POINTWISE_NEG:
    case CUDNN_POINTWISE_CEIL:
    case CUDNN_POINTWISE_FLOOR:
    case CUDNN_POINTWISE_EXP:
    case CUDNN_POINTWISE_LOG:
    case CUDNN_POINTWISE_SIN:
    case CUDNN_POINTWISE_COS:
    case CUDNN_POINTWISE_TAN:
    case CUDNN_POINTWISE_ERF:
    case CUDNN_POINTWISE_IDENTITY:
    case CUDNN_POINTWISE_LOGICAL_NOT:
    case CUDNN_POINTWISE_RELU_FWD:
    case CUDNN_POINTWISE_TANH_FWD:
    case CUDNN_POINTWISE_SIGMOID_FWD:
    case CUDNN_POINTWISE_ELU_FWD:
    case CUDNN_POINTWISE_GELU_FWD:
    case CUDNN_POINTWISE_SOFTPLUS_FWD:
    case CUDNN_POINTWISE_SWISH_FWD:
      return 1;
    case CUDNN_POINTWISE_ADD:
    case CUDNN_POINTWISE_ADD_SQUARE:
    case CUDNN_POINTWISE_SUB:
    case CUDNN_POINTWISE_MUL:
    case CUDNN_POINTWISE_DIV:
    case CUDNN_POINTWISE_MAX:
    case CUDNN_POINTWISE_MIN:
    case CUDNN_POINTWISE_MOD:
    case CUDNN_POINTWISE_POW:
    case CUDNN_POINTWISE_CMP_EQ:
    case CUDNN_POINTWISE_CMP_NEQ:
    case CUDNN_POINTWISE_CMP_GT:
    case CUDNN_POINTWISE_CMP_GE:
    case CUDNN_POINTWISE_CMP_LT:
    case CUDNN_POINTWISE_CMP_LE:
    case CUDNN_POINTWISE_LOGICAL_AND:
    case CUDNN_POINTWISE_LOGICAL_OR:
    case CUDNN_POINTWISE_RELU_BWD:
    case CUDNN_POINTWISE_TANH_BWD:
    case CUDNN_POINTWISE_SIGMOID_BWD:
      return 2;
    case CUDNN_POINTWISE_BINARY_SELECT:
      return 3;
    default:
      return 0;
  }
}

void ApplyPointwise(const PointwiseParts& parts, const Values& x, const Values* b, const Values* t, Values* y) {
  const ActivationParameters parameters(*parts.parameters);
  const Cursor x_cursor(&x, *y), b_cursor(b, *y), t_cursor(t, *y);
  std::array<int64_t, 5> index{};
  for (size_t i = 0; i < y->data.size(); ++i) {
    const float x_value = parts.alpha1 * x_cursor.At(i, index);
    const float b_value = parts.alpha2 * b_cursor.At(i, index);
    if (t != nullptr) {
      y->data[i] = t_cursor.At(i, index) != 0 ? x_value : b_value;
    } else if (b != nullptr) {
      y->data[i] = Binary(parts.mode, parameters, x_value, b_value);
    } else {
      y->data[i] = Unary(parts.mode, parameters, x_value);
    }
    Advance(y->dims, &index);
  }
}

}  // namespace residua::cuda_emulation
