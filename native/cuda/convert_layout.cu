// Copies a tensor from one layout to another: plain [n, c, h, w] to NHWC and back.
#include "cuda/grid.h"
#include "cuda/launch.h"
#include "cuda/layout.h"

namespace residua::cuda {

namespace {

// Turns each [rows, columns] matrix of a batch into [columns, rows]. A thread writes one element.
template <class Word>
__global__ void TransposeKernel(const Word* from, Word* to, int64_t rows, int64_t columns, int64_t count) {
  for (int64_t i = GridThread(); i < count; i += GridThreads()) {
    const int64_t column_of_batch = Quotient(i, rows), row = i - column_of_batch * rows;
    const int64_t batch = Quotient(column_of_batch, columns), column = column_of_batch - batch * columns;
    to[i] = from[(batch * rows + row) * columns + column];
  }
}

template <class Word>
void LaunchTranspose(cudaStream_t stream, const void* from, void* to, int64_t rows, int64_t columns, int64_t count) {
  RESIDUA_LAUNCH(TransposeKernel<Word>, BlocksFor(count), kThreads, stream, static_cast<const Word*>(from),
                 static_cast<Word*>(to), rows, columns, count);
}

bool HasSameOrder(const TensorDesc& a, const TensorDesc& b) {
  return (IsPlain(a) && IsPlain(b)) || (IsNhwc(a) && IsNhwc(b));
}

bool IsOpaque(const TensorDesc& desc) { return !IsPlain(desc) && !IsNhwc(desc); }

}  // namespace

void LaunchConvertLayout(const CudaContext& context, const TensorDesc& from_desc, const void* from,
                         const TensorDesc& to_desc, void* to) {
  if (IsOpaque(from_desc) || IsOpaque(to_desc)) {
    throw Error(ErrorCode::kNative, "These are an op's internal bytes: only its own backward pass can read them.");
  }
  const int64_t count = NumElements(from_desc.shape);
  if (count == 0) return;
  if (HasSameOrder(from_desc, to_desc)) {
    RESIDUA_CUDA(cudaMemcpyAsync(to, from, from_desc.bytes, cudaMemcpyDeviceToDevice, context.stream));
    return;
  }
  const Shape& shape = from_desc.shape;  // [n, c, h, w]
  const int64_t channels = shape[1], pixels = shape[2] * shape[3];
  const int64_t rows = IsPlain(from_desc) ? channels : pixels, columns = IsPlain(from_desc) ? pixels : channels;
  switch (SizeOf(from_desc.dtype)) {
    case 1:
      return LaunchTranspose<uint8_t>(context.stream, from, to, rows, columns, count);
    case 2:
      return LaunchTranspose<uint16_t>(context.stream, from, to, rows, columns, count);
    default:
      return LaunchTranspose<uint32_t>(context.stream, from, to, rows, columns, count);
  }
}

}  // namespace residua::cuda
