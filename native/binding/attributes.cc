// The attributes object of `run` -> an op record. Ranges are checked by the shape functions, forms here.
#include "binding/attributes.h"

#include <algorithm>
#include <limits>

#include "binding/args.h"
#include "core/error.h"

namespace residua::binding {

namespace {

constexpr int64_t kMinInt32 = std::numeric_limits<int32_t>::min();
constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();

// Reads attributes by name into parameters.
class Reader {
 public:
  Reader(const char* op, Napi::Object attributes) : op_(op), attributes_(attributes) {}

  void Integer(const char* name, int32_t* out) const {
    const Napi::Value value = attributes_.Get(name);
    if (!value.IsUndefined()) *out = ToInt32(value, name);
  }

  void Float(const char* name, float* out) const {
    const Napi::Value value = attributes_.Get(name);
    if (!value.IsUndefined()) *out = static_cast<float>(ToNumber(value, FullName(name)));
  }

  void Flag(const char* name, int32_t* out) const {
    const Napi::Value value = attributes_.Get(name);
    if (value.IsUndefined()) return;
    if (!value.IsBoolean()) Fail(ErrorCode::kConfig, name, "true or false", value);
    *out = value.As<Napi::Boolean>().Value() ? 1 : 0;
  }

  // [height, width]
  void Pair(const char* name, int32_t* height, int32_t* width) const {
    const Napi::Value value = attributes_.Get(name);
    if (value.IsUndefined()) return;
    if (!value.IsArray() || value.As<Napi::Array>().Length() != 2) {
      Fail(ErrorCode::kConfig, name, "an array [height, width]", value);
    }
    *height = ToInt32(value.As<Napi::Array>().Get(uint32_t{0}), name);
    *width = ToInt32(value.As<Napi::Array>().Get(uint32_t{1}), name);
  }

  // Axes as bits.
  void AxisMask(const char* name, int32_t* mask) const {
    const Napi::Value value = attributes_.Get(name);
    const char* expected = "an array of different axes, none of them negative";
    if (!value.IsArray()) Fail(ErrorCode::kShape, name, expected, value);
    const auto axes = value.As<Napi::Array>();
    for (uint32_t i = 0; i < axes.Length(); ++i) {
      const Napi::Value axis = axes.Get(i);
      const double number = axis.IsNumber() ? axis.As<Napi::Number>().DoubleValue() : -1;
      const bool fits = number >= 0 && number < kMaxDims && number == static_cast<int>(number);
      const int32_t bit = fits ? 1 << static_cast<int>(number) : 0;
      if (!fits || (*mask & bit)) Fail(ErrorCode::kShape, name, expected, value);
      *mask |= bit;
    }
  }

  void Dims(const char* name, ShapeParams* params) const {
    const Shape shape = ToShape(attributes_.Get(name), FullName(name));
    params->ndim = static_cast<int64_t>(shape.size());
    std::copy(shape.begin(), shape.end(), params->dims);
  }

  void Type(const char* name, DType* out) const { *out = ToDType(attributes_.Get(name), FullName(name)); }

 private:
  std::string FullName(const char* name) const { return std::string(name) + " of " + op_; }

  int32_t ToInt32(Napi::Value value, const char* name) const {
    return static_cast<int32_t>(ToInteger(value, FullName(name), kMinInt32, kMaxInt32));
  }

  [[noreturn]] void Fail(ErrorCode code, const char* name, const std::string& expected, Napi::Value found) const {
    const std::string text = Describe(found);
    throw Error(code, std::string(op_) + " expected " + name + " to be " + expected + ", got " + text + ".",
                {{"op", op_}, {"argument", name}, {"expected", expected}, {"found", text}});
  }

  const char* op_;
  Napi::Object attributes_;
};

Params ReadConv2d(const Reader& read) {
  Conv2dParams p;
  read.Pair("kernel", &p.kernel_h, &p.kernel_w);
  read.Pair("strides", &p.stride_h, &p.stride_w);
  read.Pair("padding", &p.pad_h, &p.pad_w);
  read.Pair("dilation", &p.dilation_h, &p.dilation_w);
  read.Pair("inputSize", &p.in_h, &p.in_w);
  read.Integer("groups", &p.groups);
  read.Flag("hasBias", &p.has_bias);
  read.Flag("relu", &p.relu);
  read.Flag("hasResidual", &p.has_residual);
  read.Flag("castsWeights", &p.casts_weights);
  return p;
}

Params ReadBatchNorm(const Reader& read) {
  BatchNormParams p;
  read.Float("epsilon", &p.epsilon);
  read.Float("momentum", &p.momentum);
  read.Flag("training", &p.training);
  read.Flag("relu", &p.relu);
  return p;
}

Params ReadPool2d(const Reader& read) {
  Pool2dParams p;
  read.Pair("poolSize", &p.pool_h, &p.pool_w);
  read.Pair("strides", &p.stride_h, &p.stride_w);
  read.Pair("padding", &p.pad_h, &p.pad_w);
  read.Pair("inputSize", &p.in_h, &p.in_w);
  read.Flag("countIncludePad", &p.count_include_pad);
  return p;
}

Params ReadDense(const Reader& read) {
  DenseParams p;
  read.Flag("hasBias", &p.has_bias);
  return p;
}

Params ReadReduce(const Reader& read) {
  ReduceParams p;
  read.AxisMask("axes", &p.axis_mask);
  read.Flag("keepDims", &p.keep_dims);
  return p;
}

Params ReadAxis(const Reader& read) {
  AxisParams p;
  read.Integer("axis", &p.axis);
  return p;
}

Params ReadCrossEntropy(const Reader& read) {
  CrossEntropyParams p;
  read.Float("labelSmoothing", &p.label_smoothing);
  return p;
}

Params ReadShape(const Reader& read) {
  ShapeParams p;
  read.Dims("shape", &p);
  return p;
}

Params ReadCast(const Reader& read) {
  CastParams p;
  read.Type("dtype", &p.dtype);
  return p;
}

Params ReadResize(const Reader& read) {
  ResizeParams p;
  read.Pair("size", &p.height, &p.width);
  read.Float("scale", &p.scale);
  return p;
}

Params ReadDropout(const Reader& read) {
  DropoutParams p;
  read.Float("rate", &p.rate);
  return p;
}

Params ReadSgd(const Reader& read) {
  SgdParams p;
  read.Integer("count", &p.count);
  read.Flag("hasMomentum", &p.has_momentum);
  read.Flag("nesterov", &p.nesterov);
  return p;
}

Params ReadAdamW(const Reader& read) {
  AdamWParams p;
  read.Integer("count", &p.count);
  return p;
}

Params ReadParams(OpKind kind, const Reader& read) {
  switch (kind) {
    case OpKind::kConv2d:
    case OpKind::kConv2dBackwardData:
    case OpKind::kConv2dBackwardWeights:
    case OpKind::kConv2dFused:
      return ReadConv2d(read);
    case OpKind::kBatchNorm:
    case OpKind::kBatchNormBackward:
    case OpKind::kBatchNormAddRelu:
    case OpKind::kBatchNormAddReluBackward:
    case OpKind::kFoldBatchNorm:
      return ReadBatchNorm(read);
    case OpKind::kMaxPool2d:
    case OpKind::kMaxPool2dBackward:
    case OpKind::kAvgPool2d:
    case OpKind::kAvgPool2dBackward:
      return ReadPool2d(read);
    case OpKind::kDenseBackwardWeights:
      return ReadDense(read);
    case OpKind::kSum:
    case OpKind::kMean:
      return ReadReduce(read);
    case OpKind::kArgmax:
    case OpKind::kSoftmax:
    case OpKind::kSoftmaxBackward:
    case OpKind::kLogSoftmax:
    case OpKind::kLogSoftmaxBackward:
      return ReadAxis(read);
    case OpKind::kSoftmaxCrossEntropy:
    case OpKind::kSoftmaxCrossEntropyBackward:
      return ReadCrossEntropy(read);
    case OpKind::kReshape:
    case OpKind::kBroadcastTo:
      return ReadShape(read);
    case OpKind::kCast:
      return ReadCast(read);
    case OpKind::kResizeBilinear:
      return ReadResize(read);
    case OpKind::kDropout:
    case OpKind::kDropoutBackward:
      return ReadDropout(read);
    case OpKind::kSgd:
      return ReadSgd(read);
    case OpKind::kAdamW:
      return ReadAdamW(read);
    default:
      return NoParams{};
  }
}

}  // namespace

Op DecodeOp(const OpInfo& info, Napi::Object attributes) {
  return {info.kind, ReadParams(info.kind, Reader(info.name, attributes))};
}

}  // namespace residua::binding
