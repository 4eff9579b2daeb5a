// The op set: every op is a plain record, a kind and its parameters. The same record runs at once (eager) or becomes
// part of a captured program. Adding an op: a kind here, a row in core/op_table.cc, shapes in core/shape_infer*.cc,
// a file in cpu/ (and cuda/), a function in lib/ops/.
#pragma once
#include <cstdint>
#include <variant>
#include <vector>

#include "core/dtype.h"
#include "core/shape.h"

namespace residua {

// inputs -> outputs; [x] optional; x! is updated in place.
enum class OpKind : int32_t {
  kConv2d,                 // x, w, [b] -> y                                       Conv2dParams
  kConv2dBackwardData,     // dy, w -> dx                                          Conv2dParams (in_h, in_w)
  kConv2dBackwardWeights,  // x, dy -> dw, [db if has_bias]                        Conv2dParams (kernel_*, has_bias)
  kBatchNorm,              // x, gamma, beta, running_mean!, running_var! -> y, and when training: mean, variance
                           //   (backend's own form, for the backward pass),
                           //   and when training with relu: mask (uint8, backend's own form)      BatchNormParams
  kBatchNormBackward,      // x, dy, gamma, beta, mean, variance, [mask if training and relu] -> dx, dgamma, dbeta
                           //   not training: mean and variance are the running ones, relu must be 0  BatchNormParams
  kBatchNormAddRelu,       // x, residual, gamma, beta, running_mean!, running_var! -> y = max(norm(x) + residual, 0),
                           //   and when training: mean, variance, mask, as above    BatchNormParams (relu: ignored)
  kBatchNormAddReluBackward,  // x, dy, gamma, beta, mean, variance, mask, of a forward pass in training, [more_dy:
                              // where
                              //   y was used twice, the gradient is dy + more_dy; on the CPU alone]
                              //   -> dx, dresidual, dgamma, dbeta                   BatchNormParams (relu: ignored)
  kRelu,                      // x -> y
  kReluBackward,              // dy, y -> dx
  kAddRelu,                   // a, b -> max(a + b, 0)   same shapes
  kMaxPool2d,                 // x -> y, argmax (backend's own form)                  Pool2dParams
  kMaxPool2dBackward,         // dy, argmax -> dx                                     Pool2dParams (in_h, in_w)
  kAvgPool2d,                 // x -> y                                               Pool2dParams
  kAvgPool2dBackward,         // dy -> dx                                             Pool2dParams (in_h, in_w)
  kDense,                     // x [n, in], w [out, in], [b] -> y [n, out]
  kDenseBackwardData,         // dy, w -> dx
  kDenseBackwardWeights,      // x, dy -> dw, [db if has_bias]                        DenseParams
  kAdd,                       // a, b -> y   NumPy broadcasting, as for the next four
  kSub,
  kMul,
  kDiv,
  kEqual,                        // a, b -> uint8 0 or 1
  kSum,                          // x -> y                                           ReduceParams
  kMean,                         // x -> y                                           ReduceParams
  kArgmax,                       // x -> int32                                       AxisParams
  kSoftmax,                      // x -> y                                           AxisParams
  kSoftmaxBackward,              // y, dy -> dx                                      AxisParams
  kLogSoftmax,                   // x -> y                                           AxisParams
  kLogSoftmaxBackward,           // y, dy -> dx                                      AxisParams
  kSoftmaxCrossEntropy,          // logits [n, classes], labels int32 [n] -> losses [n]      CrossEntropyParams
  kSoftmaxCrossEntropyBackward,  // logits, labels, dlosses [n], [losses [n]] -> dlogits   CrossEntropyParams
                                 //   losses: not read; where they failed for a bad label this fails with them
  kReshape,                      // x -> y   plain; shares the input's storage when that is plain    ShapeParams
  kBroadcastTo,                  // x -> y                                           ShapeParams
  kCast,                         // x -> y                                           CastParams
  kCopy,                         // x -> y   new storage, same layout
  kAssign,                       // to!, from -> (nothing)   same shape; the types may differ
  kResizeBilinear,               // x [n, c, h, w] uint8 or float -> y float32 [n, c, height, width]   ResizeParams
  kDropout,                      // x, state int32 [4] -> y, mask (uint8)             DropoutParams
  kDropoutBackward,              // dy, mask -> dx                                   DropoutParams
  kSgd,         // w0!, g0, [m0! if has_momentum], w1!, ..., hyper float32 [3 + 2 * count] -> (nothing)     SgdParams
                //   hyper: rescale, momentum, clip (0: none), lr_0, wd_0, lr_1, wd_1, ...
  kAdamW,       // w0!, g0, m0!, v0!, w1!, ..., hyper float32 [5 + 3 * count] -> (nothing)     AdamWParams
                //   hyper: rescale, clip (0: none), beta1, beta2, epsilon; for each parameter 1 - lr * wd,
                //   lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t)
  kGatherRows,  // x [n, ...], indices int32 [b] -> y [b, ...]   any type; an index out of range is a DataError
  kAllFinite,   // x0, x1, ... of floats -> uint8 []   1 where no element is NaN or infinite, else 0
  // What passes over programs make (lib/graph/passes): the next two for inference, the last for training.
  kConv2dFused,    // x, w, b, [residual! if has_residual] -> y = conv(x, w) + b [+ residual], max(y, 0) if relu
                   //   residual's storage may become y's: nobody may need its values afterwards    Conv2dParams
  kFoldBatchNorm,  // w float32, [b], gamma, beta, mean, variance -> w', b': conv(x, w') + b' is BatchNorm of conv(x, w)
                   // + b
                   //                                                                     BatchNormParams
  kAddReluBackward,  // a, b, y -> reluBackward(a + b, y)   same shapes: the gradient where two places used y = relu(.)
  kCount,
};

// Parameters are plain data, every byte of them set: they are arguments and cache keys at once.
struct NoParams {};

struct Conv2dParams {
  int32_t kernel_h = 0, kernel_w = 0;
  int32_t stride_h = 1, stride_w = 1;
  int32_t pad_h = 0, pad_w = 0;
  int32_t dilation_h = 1, dilation_w = 1;  // 1: dense, as in JavaScript (oneDNN counts from 0)
  int32_t groups = 1;
  int32_t in_h = 0, in_w = 0;  // the input's size, for the backward pass over data
  int32_t has_bias = 0;
  int32_t relu = 0, has_residual = 0;  // kConv2dFused
  int32_t casts_weights = 0;           // w is float32, x bfloat16: kConv2d and kConv2dBackwardData, on the CPU
};

struct BatchNormParams {
  float epsilon = 1e-5f;
  float momentum = 0.9f;  // running = momentum * running + (1 - momentum) * batch
  int32_t training = 1;
  int32_t relu = 0;
};

struct Pool2dParams {
  int32_t pool_h = 2, pool_w = 2;
  int32_t stride_h = 2, stride_w = 2;
  int32_t pad_h = 0, pad_w = 0;
  int32_t in_h = 0, in_w = 0;
  int32_t count_include_pad = 1;
};

struct DenseParams {
  int32_t has_bias = 0;
};

struct ReduceParams {
  int32_t axis_mask = 0;  // bit i set: axis i is reduced
  int32_t keep_dims = 0;
};

struct AxisParams {
  int32_t axis = 0;  // not negative any more
};

struct CrossEntropyParams {
  float label_smoothing = 0;
};

struct ShapeParams {
  int64_t ndim = 0;
  int64_t dims[kMaxDims] = {};
};

struct CastParams {
  DType dtype = DType::kFloat32;
};

struct ResizeParams {
  int32_t height = 0, width = 0;
  float scale = 1;  // multiplies every value: 1/255 for pixels
};

struct DropoutParams {
  float rate = 0.5f;
};

struct SgdParams {
  int32_t count = 0;  // how many parameters
  int32_t has_momentum = 0;
  int32_t nesterov = 0;
};

struct AdamWParams {
  int32_t count = 0;  // how many parameters
};

using Params =
    std::variant<NoParams, Conv2dParams, BatchNormParams, Pool2dParams, DenseParams, ReduceParams, AxisParams,
                 CrossEntropyParams, ShapeParams, CastParams, ResizeParams, DropoutParams, SgdParams, AdamWParams>;

struct Op {
  OpKind kind = OpKind::kCount;
  Params params;
};

}  // namespace residua
