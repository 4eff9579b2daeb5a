// Why there is no backend: what was looked for, what was found, what would help.
#pragma once
#include <string>

#include "core/error.h"

namespace residua::cuda {

// `looked_for` completes "Looked for ..."; `found` and `remedy` are sentences.
inline Error Unavailable(const std::string& looked_for, const std::string& found, const std::string& remedy) {
  return Error(ErrorCode::kBackendUnavailable, "Looked for " + looked_for + ". " + found + " " + remedy,
               {{"lookedFor", looked_for}, {"found", found}, {"remedy", remedy}});
}

}  // namespace residua::cuda
