/// The small formats of Docker's history texts: Go's %v and %q of the values.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dockerfile/tree.h"
#include "oci/image.h"

namespace mica::build {

inline constexpr std::string_view kHistoryComment = "buildkit.dockerfile.v0";

std::string history_pairs(const std::vector<dockerfile::KeyValue>& pairs);  ///< " A=b C=d"
std::string history_words(std::span<const std::string> words);              ///< "[a b]"
std::string history_quoted(std::span<const std::string> words);             ///< ["a" "b"]
/// &{["CMD" "x"] "5s" "0s" "0s" "0s" '\x04'}: BuildKit prints the pieces as quoted strings, and the number of retries as a
/// character.
std::string history_healthcheck(const oci::Healthcheck& check);
/// Go's time.Duration: "1m30s", "250ms", "0s".
std::string go_duration(std::int64_t ns);

/// A number other than 0, or a name with or without SIG, in any case: what STOPSIGNAL takes.
bool is_signal(std::string_view text);

}  // namespace mica::build
