/// The long forms of everything that compose files may write short: ports, volumes, lists of KEY=VALUE, sizes, durations, paths.
#pragma once
#include <string>

#include "base/error.h"
#include "json/json.h"

namespace mica::compose {

struct CanonicalOptions {
  std::string folder;                                    ///< relative paths are resolved against it; "": they stay
};
/// Each works on one element of a file, in place. Errors: invalid_argument, naming the member ("ports: invalid ...").
Result<> canonical_service(json::Value& service, const CanonicalOptions& options);
Result<> canonical_network(json::Value& network);
Result<> canonical_volume(json::Value& volume);
Result<> canonical_file_object(json::Value& object, const CanonicalOptions& options);   ///< a secret or a config

/// Words as a shell splits them: blanks, 'literal', "with \" escapes", backslashes. Errors: invalid_argument (an open quote).
Result<std::vector<std::string>> shell_words(std::string_view text);
/// "1m30s" as Go prints it.
std::string go_duration(std::int64_t ns);
/// "1gb" and "64m" as bytes. Errors: invalid_argument.
Result<std::int64_t> byte_count(const json::Value& value);
/// Scalars as text: true, 1.5, null as "".
std::string scalar_text(const json::Value& value);
/// Relative to `folder`, with `.` and `..` taken out and `~` as the home folder.
std::string absolute(const std::string& path, const std::string& folder);

}  // namespace mica::compose
