// What a tensor is to the native code: a description (type, logical shape, layout) and a piece of storage.
#pragma once
#include <memory>
#include <string>

#include "core/dtype.h"
#include "core/error.h"
#include "core/shape.h"

namespace residua {

// How a backend arranges the elements in memory. Opaque above the backend; immutable once made.
// A null layout pointer means plain: dense, row-major, logical order.
class Layout {
 public:
  virtual ~Layout() = default;
  // Appends bytes that identify the layout: equal layouts append equal bytes.
  virtual void AppendKey(std::string* key) const = 0;
};

struct TensorDesc {
  DType dtype = DType::kFloat32;
  Shape shape;
  std::shared_ptr<const Layout> layout;  // null: plain
  size_t bytes = 0;                      // what the storage must hold; padding of blocked layouts included

  bool plain() const { return layout == nullptr; }
};

inline TensorDesc PlainDesc(DType dtype, Shape shape) {
  TensorDesc desc;
  desc.dtype = dtype;
  desc.shape = std::move(shape);
  desc.bytes = static_cast<size_t>(NumElements(desc.shape)) * SizeOf(dtype);
  return desc;
}

// The failure of a tensor's producer, if any. Written and read on one thread only: the CPU backend's execution thread,
// or the thread that calls the CUDA backend.
struct Status {
  std::shared_ptr<const Error> error;
  std::shared_ptr<const void> open_faults;  // failures that may still show (cuda/faults.h)
};

// A piece of device memory. Freed when the last reference goes, in stream order: work that was enqueued
// before the release may still use the memory, work enqueued after it may get the same memory again.
class Storage {
 public:
  virtual ~Storage() = default;
  virtual void* data() const = 0;
  virtual size_t bytes() const = 0;
  const std::shared_ptr<Status>& status() const { return status_; }

 private:
  std::shared_ptr<Status> status_ = std::make_shared<Status>();
};

struct Tensor {
  TensorDesc desc;
  std::shared_ptr<Storage> storage;
};

}  // namespace residua
