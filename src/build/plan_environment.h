/// The variables that instructions see, and the arguments that a build starts with.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "build/planner.h"
#include "dockerfile/expand.h"

namespace mica::build {

/// ENV and ARG in one map: the last writer wins, and what is set again moves to the end, as in the environment that BuildKit
/// gives to RUN steps.
class Environment {
 public:
  void set(std::string_view name, std::string value);
  std::optional<std::string> get(std::string_view name) const;
  std::vector<std::string_view> names() const;
  std::vector<std::string> entries() const;  ///< "K=V"
  dockerfile::Lookup lookup() const;         ///< valid while this lives and is not changed

 private:
  std::vector<std::pair<std::string, std::string>> variables_;
};

/// "K=V" → K and V; V is empty without '='.
std::pair<std::string_view, std::string_view> split_variable(std::string_view entry);

/// --build-arg values by name.
class BuildArguments {
 public:
  explicit BuildArguments(const PlanRequest& request);
  std::optional<std::string> get(std::string_view name) const;
  std::string get_or(std::string_view name, std::string_view fallback) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// Arguments with names known before the first FROM: TARGETPLATFORM and its like; build arguments win. `target` is the name of
/// the stage asked for.
Environment predefined_arguments(const PlanRequest& request, std::string_view target, const BuildArguments& given);

/// True for arguments that steer the build and never enter an environment.
bool is_hidden_argument(std::string_view name);

}  // namespace mica::build
