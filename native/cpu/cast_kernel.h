// Conversion of a run of elements between any two of the five types.
#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace residua::cpu {

// Floats: to the nearest, ties to even; what is too large becomes infinity. To integers: towards zero, clamped to the
// range; NaN becomes 0.
void CastElements(DType from_type, const void* from, DType to_type, void* to, int64_t count);

}  // namespace residua::cpu
