#include "base/log.h"

#include <unistd.h>

#include "base/time.h"

namespace mica::log {

bool debug_enabled = false;

void enable(bool on) { debug_enabled = on; }

void write_line(const std::string& line) {
  const std::int64_t ms = now().ns / 1'000'000;
  const std::string text = format("debug {:02}:{:02}.{:03} [{}] {}\n", ms / 60'000 % 60, ms / 1000 % 60, ms % 1000, ::gettid(), line);
  // One write, so that lines of several threads and processes do not mix. A log that cannot be written is not an error.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace mica::log
