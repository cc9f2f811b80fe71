/// Build checks that need the plan: their names, BuildKit's wording, and what switches them off.
///
/// `# check=skip=A,B;error=true` at the top of the file (or the build argument BUILDKIT_DOCKERFILE_CHECK instead of it) holds for
/// the whole file; the same comment above an instruction adds skips for that one.
#pragma once
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dockerfile/ignore.h"
#include "dockerfile/tree.h"

namespace mica::build {

struct CheckOptions {
  bool skip_all = false;
  bool warnings_are_errors = false;
  std::set<std::string, std::less<>> skipped;
  bool skips(std::string_view rule) const { return skip_all || skipped.contains(rule); }
};
/// Errors: invalid_argument (unknown key, part without '=', bad boolean).
Result<CheckOptions> parse_check_options(std::string_view text);
/// Skips of comment lines above an instruction; what cannot be understood is ignored.
CheckOptions check_options_of(const std::vector<std::string>& comments);

/// What a finding is about: an instruction's place and the comments above it.
struct Spot {
  dockerfile::Range where;
  const std::vector<std::string>* comments = nullptr;
};

/// The ignore file of the main context: as cleaned patterns and compiled.
struct IgnoreRules {
  std::vector<std::string> patterns;
  dockerfile::PatternMatcher matcher;
};

class Checks {
 public:
  explicit Checks(CheckOptions options) : options_(std::move(options)) {}

  void warn(std::string_view rule, std::string message, const Spot& spot, std::string suggestion = "");
  /// Takes over what the parser found, less what is skipped, and less the rules that are looked at here: where the base's SHELL
  /// or WORKDIR and the values of variables are known, and only for stages that are needed.
  void take_over(const dockerfile::File& file);

  void undefined_variable(std::string_view name, std::span<const std::string_view> known, const Spot& spot);
  void undefined_from_argument(std::string_view name, std::span<const std::string_view> known, const Spot& spot);
  void secret_name(std::string_view keyword, std::string_view name, const Spot& spot);
  void constant_platform(std::string_view stage_name, std::string_view platform, const Spot& spot);
  void several_instructions(std::string_view keyword, const Spot& earlier);
  void json_recommended(std::string_view keyword, const Spot& spot);
  void legacy_form(std::string_view keyword, const Spot& spot);
  /// `source`: of COPY or ADD from the main context, expanded.
  void ignored_source(std::string_view keyword, std::string_view source, const IgnoreRules& rules, const Spot& spot);

  /// In line order, each once.
  std::vector<dockerfile::Diagnostic> take();
  /// The error of `error=true` when there are warnings.
  Result<> verdict(const dockerfile::File& file) const;

 private:
  void add(dockerfile::Diagnostic diagnostic);
  CheckOptions options_;
  std::vector<dockerfile::Diagnostic> found_;
};

}  // namespace mica::build
