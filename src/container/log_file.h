/// A container's log: Docker's json-file format, one object a line: {"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.123456789Z"},
/// rotated by size. What a process writes without a line end is cut at 16 KiB and at its end.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "container/definition.h"

namespace mica::container {

struct LogOptions {
  std::int64_t max_bytes = -1;                          ///< max-size; -1: no limit
  int max_files = 1;                                    ///< max-file: with the one that is written
  bool compress = false;                                ///< rotated files become .gz
  std::string tag;                                      ///< of the options tag, labels, env: goes into "attrs"
  Pairs attributes;
};
/// From --log-driver and --log-opt. Errors: invalid_argument ("unknown log opt 'x' for json-file log driver"), unsupported (driver).
Result<LogOptions> parse_log_options(std::string_view driver, const Pairs& options);

/// Writes; one per container, by its monitor. Appends never block on a reader.
class LogWriter {
 public:
  static Result<LogWriter> open(const std::string& path, LogOptions options);
  /// Bytes of `stream` (1 or 2) as they came. Complete lines are written at once with one write.
  Result<> append(int stream, std::string_view bytes);
  Result<> finish();                                    ///< at the process's end: what is left of lines
  LogWriter(LogWriter&&) noexcept;
  ~LogWriter();

 private:
  struct Impl;
  explicit LogWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct LogRequest {
  std::optional<Timestamp> since, until;
  std::int64_t tail = -1;                               ///< lines; -1: all
  bool follow = false;
  bool out = true, err = true;
};
struct LogLine {
  int stream = 1;
  Timestamp time;
  std::string text;                                     ///< with its line feed; without for a cut one
  std::string attributes;                               ///< for --details
};
/// Calls `line` for each, oldest first, over rotated files; with `follow` goes on (inotify) until `ended()` says that the container has stopped and
/// everything is read, or `stop_fd` is readable. A line of the file that is no JSON is skipped with a remark. Errors: not_found is an empty log; those of `line`.
Result<> read_log(const std::string& path, const LogRequest& request, const std::function<Result<>(const LogLine&)>& line,
                  const std::function<bool()>& ended = {}, int stop_fd = -1);

}  // namespace mica::container
