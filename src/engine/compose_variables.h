/// Variables in compose files: `${TAG:-1.27}` from the environment and from the project's `.env`.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"

namespace mica::engine {

class ComposeVariables {
 public:
  /// This process's environment, and what `.env` in `folder` has beyond it. Errors: invalid_argument (.env, with line); those of reading.
  static Result<ComposeVariables> load(const std::string& folder);
  /// This process's environment alone.
  static ComposeVariables of_environment() {
    ComposeVariables out;
    out.with_environment_ = true;
    return out;
  }
  /// Only these.
  explicit ComposeVariables(std::map<std::string, std::string> values = {}) : values_(std::move(values)) {}

  /// The environment wins over .env. A variable that is set to nothing is set.
  std::optional<std::string> value(const std::string& name) const;
  /// Adds the lines of a .env text: `export` in front, comments, 'literal', "with \n and ${VAR}", bare words; quotes may span lines. A name alone changes nothing.
  /// Errors: invalid_argument, with `path` and line.
  Result<> add_file(const std::string& path, std::string_view text);

  /// `$VAR ${VAR} ${VAR-d} ${VAR:-d} ${VAR?why} ${VAR:?why} ${VAR+a} ${VAR:+a}`, also within d and a; `$$` is a dollar. What is not set is nothing, and
  /// noted in unset(). Errors: invalid_argument.
  Result<std::string> expand(std::string_view text);
  /// Those that files and set() gave.
  const std::map<std::string, std::string>& values() const { return values_; }
  void set(const std::string& name, std::string value) { values_[name] = std::move(value); }
  /// Names that files mention without a value.
  const std::set<std::string>& bare() const { return bare_; }
  /// Names that were wanted, had no default and are not set.
  const std::set<std::string>& unset() const { return unset_; }

 private:
  struct Reader;
  bool with_environment_ = false;
  std::map<std::string, std::string> values_;
  std::set<std::string> unset_, bare_;
};

}  // namespace mica::engine
