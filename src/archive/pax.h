/// PAX extended headers (POSIX.1-2017, pax, "pax Extended Header"): records "LENGTH KEY=VALUE\n".
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace mica::archive {

/// Records in their order; a key may repeat (GNU sparse 0.0), otherwise the last one counts.
using PaxRecords = std::vector<std::pair<std::string, std::string>>;

/// Errors: corrupt (lengths that do not fit, no '=', empty key, NUL where text must be).
Result<PaxRecords> parse_pax(std::string_view bytes);
/// Appends one record.
void append_pax(std::string& to, std::string_view key, std::string_view value);

/// "1350244992.023960108" to nanoseconds, clamped to what fits. Errors: corrupt.
Result<std::int64_t> parse_pax_time(std::string_view text);
std::string pax_time(std::int64_t ns);

}  // namespace mica::archive
