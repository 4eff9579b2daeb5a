// Batch normalisation, forward in training and backward.
#include <cmath>

#include "cuda_emulation/cudnn_interpreter.h"

namespace residua::cuda_emulation {
namespace {

Values PerChannel(const std::vector<double>& values) {
  Values result({1, static_cast<int64_t>(values.size()), 1, 1, 1});
  for (size_t c = 0; c < values.size(); ++c) result.data[c] = static_cast<float>(values[c]);
  return result;
}

// next = (1 - factor) * running + factor * batch
Values Average(const Values& running, const std::vector<double>& batch, float factor) {
  Values next = running;
  for (size_t c = 0; c < batch.size(); ++c) {
    next.data[c] = (1 - factor) * running.data[c] + factor * static_cast<float>(batch[c]);
  }
  return next;
}

}  // namespace

NormStatistics StatisticsOf(const Values& x) {
  const double count = static_cast<double>(x.pixels());
  NormStatistics statistics;
  statistics.mean = SumPerChannel(x, [&](size_t i, size_t) { return static_cast<double>(x.data[i]); });
  for (double& mean : statistics.mean) mean /= count;
  statistics.variance = SumPerChannel(x, [&](size_t i, size_t c) {
    const double distance = x.data[i] - statistics.mean[c];
    return distance * distance;
  });
  for (double& variance : statistics.variance) variance /= count;
  return statistics;
}

void Interpreter::NormForward(const Descriptor& operation) {
  const Values& x = At(operation, CUDNN_ATTR_OPERATION_NORM_FWD_XDESC);
  const Values& scale = At(operation, CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC);
  const Values& bias = At(operation, CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC);
  const float epsilon = At(operation, CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC).data[0];
  const NormStatistics statistics = StatisticsOf(x);
  std::vector<double> inverse_std;
  for (const double variance : statistics.variance) inverse_std.push_back(1 / std::sqrt(variance + epsilon));

  if (operation.Has(CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC)) {
    const float factor = At(operation, CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC).data[0];
    // The running variance is the unbiased one: not a number for a single pixel.
    const double count = static_cast<double>(x.pixels());
    std::vector<double> unbiased = statistics.variance;
    for (double& variance : unbiased) variance = variance * count / (count - 1);
    Write(operation, CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC,
          Average(At(operation, CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC), statistics.mean, factor));
    Write(operation, CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC,
          Average(At(operation, CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC), unbiased, factor));
  }

  Values y(x.dims);
  const size_t channels = static_cast<size_t>(x.c());
  for (size_t i = 0; i < x.data.size(); ++i) {
    const size_t c = i % channels;
    const double normalized = (x.data[i] - statistics.mean[c]) * inverse_std[c];
    y.data[i] = static_cast<float>(normalized) * scale.data[c] + bias.data[c];
  }
  if (operation.Has(CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC)) {
    Write(operation, CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, PerChannel(statistics.mean));
    Write(operation, CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC, PerChannel(inverse_std));
  }
  Write(operation, CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, std::move(y));
}

void Interpreter::NormBackward(const Descriptor& operation) {
  const Values& x = At(operation, CUDNN_ATTR_OPERATION_NORM_BWD_XDESC);
  const Values& dy = At(operation, CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC);
  const Values& mean = At(operation, CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC);
  const Values& inverse_std = At(operation, CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC);
  const Values& scale = At(operation, CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC);
  const auto normalized = [&](size_t i, size_t c) { return (x.data[i] - mean.data[c]) * inverse_std.data[c]; };
  const std::vector<double> dbias = SumPerChannel(x, [&](size_t i, size_t) { return static_cast<double>(dy.data[i]); });
  const std::vector<double> dscale =
      SumPerChannel(x, [&](size_t i, size_t c) { return static_cast<double>(dy.data[i]) * normalized(i, c); });

  Values dx(x.dims);
  const size_t channels = static_cast<size_t>(x.c());
  const double count = static_cast<double>(x.pixels());
  for (size_t i = 0; i < x.data.size(); ++i) {
    const size_t c = i % channels;
    const double centered = dy.data[i] - dbias[c] / count - normalized(i, c) * dscale[c] / count;
    dx.data[i] = static_cast<float>(centered * scale.data[c] * inverse_std.data[c]);
  }
  Write(operation, CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC, PerChannel(dscale));
  Write(operation, CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC, PerChannel(dbias));
  Write(operation, CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC, std::move(dx));
}

}  // namespace residua::cuda_emulation
