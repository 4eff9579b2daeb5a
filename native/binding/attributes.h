// The attributes object of `run` -> an op record.
#pragma once
#include <napi.h>

#include "core/op_table.h"

namespace residua::binding {

// An attribute that is not given has its default (core/op.h).
Op DecodeOp(const OpInfo& info, Napi::Object attributes);

}  // namespace residua::binding
