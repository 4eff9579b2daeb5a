// How tensors lie in GPU memory: plain or NHWC.
#include "cuda/layout.h"

namespace residua::cuda {

namespace {

const OpaqueLayout* OpaqueOf(const TensorDesc& desc) { return dynamic_cast<const OpaqueLayout*>(desc.layout.get()); }

void CheckImage(const TensorDesc& desc) {
  if (desc.shape.size() == 4) return;
  throw Error(ErrorCode::kNative,
              "NHWC expected a tensor of four dimensions, got one of shape " + ToString(desc.shape) + ".");
}

}  // namespace

void SetNhwc(TensorDesc* desc) {
  static const auto nhwc = std::make_shared<const NhwcLayout>();
  CheckImage(*desc);
  const TensorDesc plain = PlainDesc(desc->dtype, desc->shape);
  desc->bytes = plain.bytes;
  const Shape& shape = desc->shape;  // [n, c, h, w]
  const bool same_as_plain = shape[1] == 1 || (shape[2] == 1 && shape[3] == 1);
  desc->layout = same_as_plain ? nullptr : nhwc;
}

bool IsNhwc(const TensorDesc& desc) {
  if (OpaqueOf(desc) != nullptr || desc.shape.size() != 4) return false;
  return !desc.plain() || NhwcLike(desc).plain();
}

bool IsPlain(const TensorDesc& desc) { return desc.plain(); }

TensorDesc PlainLike(const TensorDesc& desc) { return PlainDesc(desc.dtype, desc.shape); }

TensorDesc NhwcLike(const TensorDesc& desc) {
  TensorDesc nhwc = PlainLike(desc);
  SetNhwc(&nhwc);
  return nhwc;
}

}  // namespace residua::cuda
