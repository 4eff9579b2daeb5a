// Pooling. The index tensor holds, for each output, the position of the maximum within its window, row by row.
#include <cmath>
#include <limits>

#include "cuda_emulation/cudnn_interpreter.h"

namespace residua::cuda_emulation {
namespace {

struct Pooling {
  cudnnResampleMode_t mode;
  bool propagates_nan;
  Window window;

  explicit Pooling(const Descriptor& parameters)
      : mode(parameters.Get<cudnnResampleMode_t>(CUDNN_ATTR_RESAMPLE_MODE)),
        propagates_nan(parameters.GetOr<int>(CUDNN_ATTR_RESAMPLE_NAN_PROPAGATION, CUDNN_NOT_PROPAGATE_NAN) ==
                       CUDNN_PROPAGATE_NAN),
        window(WindowOfResample(parameters)) {}
  bool maximum() const { return mode == CUDNN_RESAMPLE_MAXPOOL; }
};

size_t Offset(const Values& values, int64_t n, int64_t h, int64_t w, int64_t c) {
  return static_cast<size_t>(((n * values.h() + h) * values.w() + w) * values.c() + c);
}

// Calls body(n, oh, ow) for each place of the window.
template <class Body>
void ForEachPlace(const Values& y, const Body& body) {
  for (int64_t n = 0; n < y.n(); ++n) {
    for (int64_t oh = 0; oh < y.h(); ++oh) {
      for (int64_t ow = 0; ow < y.w(); ++ow) body(n, oh, ow);
    }
  }
}

// Calls body(position in the window, ih, iw) for each pixel of the window at (oh, ow) that is within the image.
template <class Body>
void ForEachPixel(const Window& window, const Values& x, int64_t oh, int64_t ow, const Body& body) {
  for (int64_t r = 0; r < window.kernel[0]; ++r) {
    const int64_t ih = oh * window.strides[0] - window.before[0] + r;
    if (ih < 0 || ih >= x.h()) continue;
    for (int64_t s = 0; s < window.kernel[1]; ++s) {
      const int64_t iw = ow * window.strides[1] - window.before[1] + s;
      if (iw >= 0 && iw < x.w()) body(r * window.kernel[1] + s, ih, iw);
    }
  }
}

int64_t Divisor(const Pooling& pooling, const Values& x, int64_t oh, int64_t ow) {
  if (pooling.mode != CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING)
    return pooling.window.kernel[0] * pooling.window.kernel[1];
  int64_t count = 0;
  ForEachPixel(pooling.window, x, oh, ow, [&](int64_t, int64_t, int64_t) { ++count; });
  return count;
}

// y, and the positions of the maxima; the first of equal ones. A window of padding alone gives minus infinity, at -1.
void Maximum(const Pooling& pooling, const Values& x, Values* y, Values* index) {
  ForEachPlace(*y, [&](int64_t n, int64_t oh, int64_t ow) {
    for (int64_t c = 0; c < x.c(); ++c) {
      float most = -std::numeric_limits<float>::infinity();
      int64_t at = -1;
      ForEachPixel(pooling.window, x, oh, ow, [&](int64_t position, int64_t ih, int64_t iw) {
        const float value = x.data[Offset(x, n, ih, iw, c)];
        const bool nan = pooling.propagates_nan && std::isnan(value) && !std::isnan(most);
        if (value > most || nan || (at < 0 && !std::isnan(value))) {
          most = value;
          at = position;
        }
      });
      const size_t to = Offset(*y, n, oh, ow, c);
      y->data[to] = most;
      index->data[to] = static_cast<float>(at);
    }
  });
}

void AverageForward(const Pooling& pooling, const Values& x, Values* y) {
  ForEachPlace(*y, [&](int64_t n, int64_t oh, int64_t ow) {
    const int64_t divisor = Divisor(pooling, x, oh, ow);
    for (int64_t c = 0; c < x.c(); ++c) {
      double sum = 0;
      ForEachPixel(pooling.window, x, oh, ow,
                   [&](int64_t, int64_t ih, int64_t iw) { sum += x.data[Offset(x, n, ih, iw, c)]; });
      y->data[Offset(*y, n, oh, ow, c)] = static_cast<float>(sum / static_cast<double>(divisor));
    }
  });
}

void AverageBackward(const Pooling& pooling, const Values& dy, Values* dx) {
  ForEachPlace(dy, [&](int64_t n, int64_t oh, int64_t ow) {
    const float divisor = static_cast<float>(Divisor(pooling, *dx, oh, ow));
    ForEachPixel(pooling.window, *dx, oh, ow, [&](int64_t, int64_t ih, int64_t iw) {
      for (int64_t c = 0; c < dy.c(); ++c) {
        dx->data[Offset(*dx, n, ih, iw, c)] += dy.data[Offset(dy, n, oh, ow, c)] / divisor;
      }
    });
  });
}

void MaximumBackward(const Pooling& pooling, const Values& dy, const Values& index, Values* dx) {
  ForEachPlace(dy, [&](int64_t n, int64_t oh, int64_t ow) {
    ForEachPixel(pooling.window, *dx, oh, ow, [&](int64_t position, int64_t ih, int64_t iw) {
      for (int64_t c = 0; c < dy.c(); ++c) {
        const size_t from = Offset(dy, n, oh, ow, c);
        if (index.data[from] == static_cast<float>(position)) dx->data[Offset(*dx, n, ih, iw, c)] += dy.data[from];
      }
    });
  });
}

}  // namespace

void Interpreter::ResampleForward(const Descriptor& operation) {
  const Pooling pooling(*operation.Reference(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC));
  const Values& x = At(operation, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC);
  Values y(TensorAt(operation, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC).FiveDims());
  if (pooling.maximum()) {
    Values index(y.dims);
    Maximum(pooling, x, &y, &index);
    if (operation.Has(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC)) {
      Write(operation, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC, std::move(index));
    }
  } else {
    AverageForward(pooling, x, &y);
  }
  Write(operation, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC, std::move(y));
}

void Interpreter::ResampleBackward(const Descriptor& operation) {
  const Pooling pooling(*operation.Reference(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC));
  const Values& dy = At(operation, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC);
  Values dx(TensorAt(operation, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC).FiveDims());
  if (!pooling.maximum()) {
    AverageBackward(pooling, dy, &dx);
  } else if (const Values* index = OptionalAt(operation, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC)) {
    MaximumBackward(pooling, dy, *index, &dx);
  } else {
    Values y(dy.dims), found(dy.dims);
    Maximum(pooling, At(operation, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_XDESC), &y, &found);
    MaximumBackward(pooling, dy, found, &dx);
  }
  Write(operation, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC, std::move(dx));
}

}  // namespace residua::cuda_emulation
