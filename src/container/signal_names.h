/// Signals as people write them.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"

namespace mica::container {

/// "SIGTERM", "term", "15", "RTMIN+3". Errors: invalid_argument ("invalid signal: X").
Result<int> parse_signal(std::string_view text);
/// "SIGTERM"; numbers without a name as they are.
std::string signal_name(int number);

}  // namespace mica::container
