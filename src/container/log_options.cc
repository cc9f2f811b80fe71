#include "base/format.h"
#include "base/text.h"
#include "container/log_file.h"

namespace mica::container {

Result<LogOptions> parse_log_options(std::string_view driver, const Pairs& options) {
  if (driver != "json-file" && driver != "local" && driver != "none" && !driver.empty())
    return fail(Error(Errc::unsupported, format("logging driver {} is not supported", quoted(driver))).with_hint("known are json-file, local and none"));
  LogOptions out;
  if (driver == "local") {
    // Docker's defaults of that driver.
    out.max_bytes = 20 << 20;
    out.max_files = 5;
  }
  for (const auto& [key, value] : options) {
    if (key == "max-size") {
      const auto bytes = parse_size(value);
      if (value != "-1" && (!bytes || *bytes < 1)) return failf(Errc::invalid_argument, "invalid max-size: {}", value);
      out.max_bytes = value == "-1" ? -1 : *bytes;
    } else if (key == "max-file") {
      const auto files = parse_int(value);
      if (!files || *files < 1 || *files > 1000) return failf(Errc::invalid_argument, "max-file cannot be less than 1: {}", value);
      out.max_files = static_cast<int>(*files);
    } else if (key == "compress") {
      if (value != "true" && value != "false") return failf(Errc::invalid_argument, "invalid value for compress: {}", value);
      out.compress = value == "true";
    } else if (key == "tag") {
      out.tag = value;
    } else if (key == "mode" || key == "max-buffer-size") {
      if (key == "mode" && value != "blocking" && value != "non-blocking") return failf(Errc::invalid_argument, "logger: log mode must be blocking or non-blocking: {}", value);
    } else if (key == "labels" || key == "env" || key == "labels-regex" || key == "env-regex") {
      out.attributes.emplace_back(key, value);
    } else {
      return failf(Errc::invalid_argument, "unknown log opt '{}' for {} log driver", key, driver.empty() ? "json-file" : driver);
    }
  }
  if (out.max_files > 1 && out.max_bytes < 0) return fail(Errc::invalid_argument, "max-file needs max-size");
  return out;
}

}  // namespace mica::container
