#include "engine/config_changes.h"

#include "base/format.h"
#include "base/text.h"
#include "build/planner.h"
#include "dockerfile/parser.h"

namespace mica::engine {
namespace {

namespace df = dockerfile;

constexpr std::string_view kOnBuild = "ONBUILD";

/// A trigger that records a trigger is an error in a build, and so to the parser; here it is what is asked for.
Result<df::Instruction> parse_change(const std::string& text) {
  const std::string_view trimmed = trim(text);
  if (!equals_ignoring_case(trimmed.substr(0, trimmed.find_first_of(" \t")), kOnBuild))
    return df::parse_trigger(text, "--change");
  const std::string_view trigger = trim(trimmed.substr(kOnBuild.size()));
  if (trigger.empty()) return fail(Errc::invalid_argument, "ONBUILD requires at least one argument");
  return df::Instruction{
      .keyword = std::string(kOnBuild), .text = std::string(trimmed), .command = df::OnBuild{std::string(trigger)}};
}

}  // namespace

Result<> apply_change(oci::ImageConfig& config, const std::string& text) {
  const auto instruction = TRY_DOING(parse_change(text), format("reading --change {}", quoted(text)));
  TRY_DOING(build::apply_to_config(config, instruction), format("applying --change {}", quoted(text)));
  return {};
}

}  // namespace mica::engine
