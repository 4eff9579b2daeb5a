// Prints the description of a GPU that planning without one takes (h100.json): describe_device [number]. Needs a GPU.
#include <cudnn.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "cuda/check.h"
#include "cuda/graph.h"

namespace residua::cuda {
namespace {

std::string DescriptionOf(int32_t device) {
  Descriptor properties(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  properties.SetArray(CUDNN_ATTR_DEVICEPROP_DEVICE_ID, CUDNN_TYPE_INT32, &device, 1);
  properties.Finalize();
  int64_t length = 0;
  RESIDUA_CUDA(cudnnBackendGetAttribute(properties.get(), CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, 0,
                                        &length, nullptr));
  std::string text(static_cast<size_t>(length), '\0');
  RESIDUA_CUDA(cudnnBackendGetAttribute(properties.get(), CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                                        length, &length, text.data()));
  return text.c_str();  // without the zero at its end
}

}  // namespace
}  // namespace residua::cuda

int main(int argc, char** argv) {
  try {
    std::printf("%s\n", residua::cuda::DescriptionOf(argc > 1 ? std::atoi(argv[1]) : 0).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
