// How the ops of batch normalisation lay out what they read and write.
#include "cuda/batch_norm_forms.h"

namespace residua::cuda {
namespace {

constexpr char kInverseStd[] = "inverse standard deviation";
constexpr char kMask[] = "bits of a ReLU";

void CheckForm(const TensorDesc& desc, const char* argument, const char* form) {
  const auto* opaque = dynamic_cast<const OpaqueLayout*>(desc.layout.get());
  if (opaque != nullptr && opaque->tag() == form) return;
  throw Error(ErrorCode::kNative,
              std::string("The backward pass of batchNorm expected the ") + argument +
                  " that a forward pass gave, got " +
                  (opaque != nullptr ? "bytes of another op (" + opaque->tag() + ")" : "a tensor of values") + ".",
              {{"argument", argument}});
}

}  // namespace

TensorDesc ImageForm(const TensorDesc& x) { return x.shape.size() == 4 ? NhwcLike(x) : PlainLike(x); }

Shape CudnnImage(const TensorDesc& x) {
  const int64_t values = NumElements(x.shape) / x.shape[1];  // a channel
  if (values < 2) return {};
  if (x.shape.size() == 4) return x.shape;
  if (x.shape.size() == 2) return {x.shape[0], x.shape[1], 1, 1};
  return {};
}

void SetInverseStdForm(TensorDesc* variance) {
  static const auto layout = std::make_shared<const OpaqueLayout>(kInverseStd);
  variance->layout = layout;
}

void SetMaskForm(TensorDesc* mask) {
  static const auto layout = std::make_shared<const OpaqueLayout>(kMask);
  mask->layout = layout;
  mask->bytes = MaskBytes(NumElements(mask->shape));
}

void CheckInverseStdForm(const TensorDesc& variance) { CheckForm(variance, "variance", kInverseStd); }

void CheckMaskForm(const TensorDesc& mask) { CheckForm(mask, "mask", kMask); }

}  // namespace residua::cuda
