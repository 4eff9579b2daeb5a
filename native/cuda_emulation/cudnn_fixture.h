// The graphs of test/fixtures/cudnn_graphs.txt: made by scripts/fixtures/cudnn_graphs.py, which describes the form.
#pragma once
#include "cuda_emulation/cudnn_test_support.h"

namespace residua::cudnn_test {

struct FixtureTensor {
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  Dims dims;
  std::vector<float> values;  // NCHW
};

struct Fixture {
  std::string name, kind;
  std::map<std::string, std::vector<double>> numbers;
  std::map<std::string, FixtureTensor> inputs, outputs;

  Dims Integers(const std::string& key) const {
    const std::vector<double>& values = numbers.at(key);
    return Dims(values.begin(), values.end());
  }
  double NumberOr(const std::string& key, double otherwise) const {
    const auto at = numbers.find(key);
    return at == numbers.end() ? otherwise : at->second[0];
  }
};

std::vector<Fixture> ReadFixtures(const std::string& path);

}  // namespace residua::cudnn_test
