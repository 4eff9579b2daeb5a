// What went wrong in an op: its inputs as text.
#include "core/failure.h"

namespace residua {

std::string ShapesOf(const std::vector<TensorDesc>& inputs) {
  std::string text;
  for (const TensorDesc& input : inputs) {
    if (!text.empty()) text += ", ";
    text += std::string(Name(input.dtype)) + " " + ToString(input.shape);
  }
  return text;
}

}  // namespace residua
