/// Debug log for whoever works on mica: stderr, only when MICA_LOG=debug or `--debug-log` (cli reads them and calls enable()
/// before any thread starts). Never secrets, never results.
#pragma once
#include <string>

#include "base/format.h"

namespace mica::log {
extern bool debug_enabled;
void enable(bool on);
void write_line(const std::string& line);
template <class... Args>
void debug(fmt::format_string<Args...> text, Args&&... args) {
  if (debug_enabled) write_line(fmt::format(text, std::forward<Args>(args)...));
}
}  // namespace mica::log
