// Reads test/fixtures/cudnn_graphs.txt.
#include <fstream>
#include <sstream>

#include "cuda_emulation/cudnn_fixture.h"

namespace residua::cudnn_test {
namespace {

cudnnDataType_t TypeOf(const std::string& name) {
  if (name == "float") return CUDNN_DATA_FLOAT;
  if (name == "half") return CUDNN_DATA_HALF;
  if (name == "bfloat16") return CUDNN_DATA_BFLOAT16;
  if (name == "boolean") return CUDNN_DATA_BOOLEAN;
  Fail("A fixture has an unknown type: " + name);
}

// The generator of scripts/fixtures/values.py.
std::vector<float> Uniform(size_t count, uint32_t seed, float scale, float offset) {
  std::vector<float> values(count);
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t x = seed * 0x9E3779B9u + i;
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    x = (x ^ (x >> 15)) * 0x846CA68Bu;
    x ^= x >> 16;
    values[i] = (static_cast<float>(x >> 8) / 8388608.0f - 1.0f) * scale + offset;
  }
  return values;
}

FixtureTensor ReadTensor(std::istringstream* row) {
  FixtureTensor tensor;
  std::string type, dims, how;
  *row >> type >> dims >> how;
  tensor.type = TypeOf(type);
  std::istringstream sizes(dims);
  size_t count = 1;
  for (std::string size; std::getline(sizes, size, 'x');) {
    tensor.dims.push_back(std::stoll(size));
    count *= static_cast<size_t>(tensor.dims.back());
  }
  if (how == "seed") {
    uint32_t seed = 0;
    float scale = 1, offset = 0;
    *row >> seed >> scale >> offset;
    tensor.values = Uniform(count, seed, scale, offset);
    if (tensor.type == CUDNN_DATA_BOOLEAN) {
      for (float& value : tensor.values) value = value > 0 ? 1.0f : 0.0f;
    }
  } else {
    for (float value; *row >> value;) tensor.values.push_back(value);
  }
  Require(tensor.values.size() == count, "A fixture's tensor has the wrong number of values.");
  return tensor;
}

}  // namespace

std::vector<Fixture> ReadFixtures(const std::string& path) {
  std::ifstream file(path);
  Require(file.good(), "Fixtures are missing: " + path);
  std::vector<Fixture> fixtures;
  Fixture fixture;
  for (std::string line; std::getline(file, line);) {
    std::istringstream row(line);
    std::string word, name;
    row >> word;
    if (word == "case") {
      fixture = Fixture();
      fixture.name = line.substr(5);
    } else if (word == "kind") {
      row >> fixture.kind;
    } else if (word == "number") {
      row >> name;
      for (double value; row >> value;) fixture.numbers[name].push_back(value);
    } else if (word == "input" || word == "given") {
      row >> name;
      fixture.inputs[name] = ReadTensor(&row);
    } else if (word == "output") {
      row >> name;
      fixture.outputs[name] = ReadTensor(&row);
    } else if (word == "end") {
      fixtures.push_back(fixture);
    }
  }
  return fixtures;
}

}  // namespace residua::cudnn_test
