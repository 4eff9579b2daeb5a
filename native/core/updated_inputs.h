// Which inputs an op changes in place.
#pragma once
#include <cstddef>
#include <vector>

#include "core/op.h"

namespace residua {

// By position. The counterpart of updatedInputs in lib/graph/program.ts.
std::vector<size_t> UpdatedInputs(const Op& op, size_t input_count);

}  // namespace residua
