// How tensors lie in GPU memory: plain (row-major), or NHWC for images [n, c, h, w] and weights [co, ci, kh, kw].
#pragma once
#include "core/tensor.h"
#include "cuda/context.h"

namespace residua::cuda {

// The one layout beside plain: element [n, c, h, w] at ((n * H + h) * W + w) * C + c.
class NhwcLayout : public Layout {
 public:
  void AppendKey(std::string* key) const override { key->append("nhwc"); }
};

// Bytes that only the op which wrote them, and its backward pass, can read: masks, positions of maxima. `tag` tells
// their form apart.
class OpaqueLayout : public Layout {
 public:
  explicit OpaqueLayout(std::string tag) : tag_(std::move(tag)) {}
  const std::string& tag() const { return tag_; }
  void AppendKey(std::string* key) const override { key->append("opaque:").append(tag_); }

 private:
  std::string tag_;
};

// Sets layout and bytes of a four-dimensional desc to NHWC; plain where that is the same (c == 1, or h == w == 1).
void SetNhwc(TensorDesc* desc);
// Whether the elements lie in NHWC order: the layout says so, or plain is the same.
bool IsNhwc(const TensorDesc& desc);
// Whether the elements lie in row-major order: plain, as SetNhwc sees to it that nothing else is.
bool IsPlain(const TensorDesc& desc);
// The same tensor in plain, or in NHWC (four dimensions only).
TensorDesc PlainLike(const TensorDesc& desc);
TensorDesc NhwcLike(const TensorDesc& desc);

// Copies `from` to `to` (same type and shape, other layout) on the stream. kernels: convert_layout.cu
void LaunchConvertLayout(const CudaContext& context, const TensorDesc& from_desc, const void* from,
                         const TensorDesc& to_desc, void* to);

}  // namespace residua::cuda
