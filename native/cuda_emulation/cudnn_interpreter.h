// Runs an operation graph on the host: loads its inputs, runs each operation in float, stores what is not virtual.
#pragma once
#include <map>

#include "cuda_emulation/cudnn_engines.h"

namespace residua::cuda_emulation {

class Interpreter {
 public:
  // `pointers`: memory of every tensor that is not virtual, by uid; constants of those by value.
  Interpreter(const OperationGraph& graph, const Engine& engine, const std::map<int64_t, void*>& pointers,
              const std::map<int64_t, Values>& constants);
  void Run();

 private:
  void Convolve(const Descriptor& operation);
  void Point(const Descriptor& operation);
  void NormForward(const Descriptor& operation);
  void NormBackward(const Descriptor& operation);
  void ResampleForward(const Descriptor& operation);
  void ResampleBackward(const Descriptor& operation);
  void Statistics(const Descriptor& operation);
  void Reduce(const Descriptor& operation);

  // The tensor at a port: its values, null where the port is not set.
  const Values& At(const Descriptor& operation, cudnnBackendAttributeName_t port) const;
  const Values* OptionalAt(const Descriptor& operation, cudnnBackendAttributeName_t port) const;
  void Write(const Descriptor& operation, cudnnBackendAttributeName_t port, Values values);

  const OperationGraph& graph_;
  const Engine& engine_;
  const std::map<int64_t, void*>& pointers_;
  std::map<int64_t, Values> values_;
};

// ---- the arithmetic, on values alone

struct ConvolutionShape {
  Window window;
  bool flipped = false;  // CUDNN_CONVOLUTION
  int64_t groups = 1;
};
// w is [k, c / groups, kernel h, kernel w]; each computes the third of x, w, y from the others.
void ConvolveForward(const ConvolutionShape& shape, const Values& x, const Values& w, Values* y);
void ConvolveBackwardData(const ConvolutionShape& shape, const Values& y, const Values& w, Values* x);
void ConvolveBackwardFilter(const ConvolutionShape& shape, const Values& x, const Values& y, Values* w);

// y has the shape of the result; x, b, t broadcast to it.
void ApplyPointwise(const PointwiseParts& parts, const Values& x, const Values* b, const Values* t, Values* y);

struct NormStatistics {
  std::vector<double> mean, variance;  // of each channel; biased variance
};
NormStatistics StatisticsOf(const Values& x);

// Sum over channels: of value(element number, channel).
template <class Value>
std::vector<double> SumPerChannel(const Values& x, const Value& value) {
  std::vector<double> sums(static_cast<size_t>(x.c()), 0.0);
  const int64_t channels = x.c(), pixels = x.pixels();
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (int64_t c = 0; c < channels; ++c) {
      sums[static_cast<size_t>(c)] += value(static_cast<size_t>(pixel * channels + c), static_cast<size_t>(c));
    }
  }
  return sums;
}

}  // namespace residua::cuda_emulation
