// What went wrong in an op: one kind of error out of many.
#pragma once
#include <memory>

#include "core/failure.h"
#include "core/op.h"
#include "cpu/cpu_plan.h"

namespace residua::cpu {

// The exception that is being handled, as an Error that names the op and its shapes. To be called in a catch block.
std::shared_ptr<const Error> CurrentFailure(const Op& op, const Descs& inputs);

}  // namespace residua::cpu
