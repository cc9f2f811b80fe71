// Instructions that hold a command line: RUN CMD ENTRYPOINT SHELL HEALTHCHECK.
#include <algorithm>
#include <limits>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/mount.h"
#include "dockerfile/parser.h"
#include "dockerfile/statement.h"
#include "dockerfile/unicode.h"

namespace mica::dockerfile {
namespace {

constexpr std::int64_t kShortestInterval = 1'000'000;  // ns

CommandLine command_line(const JsonWords& json, std::string_view text) {
  if (json.kind == JsonWords::Kind::strings) return {.exec_form = true, .words = json.words};
  return {.exec_form = false, .words = {std::string(text)}};
}

bool check_choice(const Statement& s, std::string_view flag, std::span<const std::string_view> choices, std::string_view message,
                  Diagnostics& diagnostics) {
  for (const Flag& given : s.flags) {
    if (given.name != flag || !given.value || std::ranges::find(choices, *given.value) != choices.end()) continue;
    diagnostics.error(s.where, fmt::format(fmt::runtime(message), quoted(*given.value)), did_you_mean(*given.value, choices));
    return false;
  }
  return true;
}

/// A duration in ns; an empty one and 0 mean the default.
bool take_interval(const Statement& s, std::string_view flag, std::int64_t& into, Diagnostics& diagnostics) {
  const std::string text = text_flag(s, flag);
  if (text.empty()) return true;
  const auto parsed = parse_duration(text);
  if (!parsed) {
    diagnostics.error(s.where, parsed.error().message(), parsed.error().hint());
    return false;
  }
  if (*parsed != 0 && *parsed < kShortestInterval) {
    diagnostics.error(s.where, format("Interval \"{}\" cannot be less than 1ms", flag));
    return false;
  }
  into = *parsed;
  return true;
}

bool take_retries(const Statement& s, int& into, Diagnostics& diagnostics) {
  const std::string text = text_flag(s, "retries");
  if (text.empty()) return true;
  const auto number = parse_int(text.starts_with('+') ? text.substr(1) : text);
  if (!number || *number > std::numeric_limits<int>::max()) {
    diagnostics.error(s.where, format("--retries must be a whole number, not {}", quoted(text)));
    return false;
  }
  if (*number < 0) {
    diagnostics.error(s.where, format("--retries cannot be negative ({})", *number));
    return false;
  }
  into = static_cast<int>(*number);
  return true;
}

}  // namespace

std::optional<Command> parse_run(const Statement& s, Diagnostics& diagnostics) {
  static constexpr FlagSpec kFlags[] = {
      {"mount", FlagKind::list}, {"network", FlagKind::text}, {"security", FlagKind::text}, {"device", FlagKind::list}};
  static constexpr std::string_view kNetworks[] = {"default", "none", "host"}, kSecurities[] = {"sandbox", "insecure"};
  if (!check_flags(s, kFlags, diagnostics)) return std::nullopt;
  Run run{.command = command_line(s.json, s.rest),
          .mounts = list_flag(s, "mount"),
          .network = text_flag(s, "network"),
          .security = text_flag(s, "security")};
  run.command.heredocs = s.heredocs;
  const auto devices = list_flag(s, "device");
  run.devices = join(devices, " ");
  for (const std::string& mount : run.mounts) {
    if (auto checked = check_mount_form(mount); !checked) {
      diagnostics.error(s.where, checked.error().message());
      return std::nullopt;
    }
  }
  if (!check_choice(s, "network", kNetworks, "invalid network mode {}", diagnostics)) return std::nullopt;
  if (!check_choice(s, "security", kSecurities, "security {} is not valid", diagnostics)) return std::nullopt;
  return run;
}

std::optional<Command> parse_cmd(const Statement& s, Diagnostics& diagnostics) {
  if (!check_flags(s, {}, diagnostics)) return std::nullopt;
  return Cmd{.command = command_line(s.json, s.rest)};
}

std::optional<Command> parse_entrypoint(const Statement& s, Diagnostics& diagnostics) {
  if (!check_flags(s, {}, diagnostics)) return std::nullopt;
  return Entrypoint{.command = command_line(s.json, s.rest)};
}

std::optional<Command> parse_shell(const Statement& s, Diagnostics& diagnostics) {
  if (!check_flags(s, {}, diagnostics)) return std::nullopt;
  const bool json = s.json.kind == JsonWords::Kind::strings;
  if (s.rest.empty() || (json && s.json.words.empty())) {
    diagnostics.error(s.where, "SHELL requires at least one argument");
    return std::nullopt;
  }
  if (!json) {
    diagnostics.error(s.where, "SHELL requires the arguments to be in JSON form", "as in SHELL [\"/bin/bash\", \"-c\"]");
    return std::nullopt;
  }
  return Shell{.words = s.json.words};
}

std::optional<Command> parse_healthcheck(const Statement& s, Diagnostics& diagnostics) {
  static constexpr FlagSpec kFlags[] = {{"interval"}, {"timeout"}, {"start-period"}, {"start-interval"}, {"retries"}};
  if (s.rest.empty()) {
    diagnostics.error(s.where, "HEALTHCHECK requires at least one argument");
    return std::nullopt;
  }
  std::size_t end = 0;
  while (end < s.rest.size() && space_at(s.rest.substr(end)) == 0) ++end;
  const std::string type = to_upper(s.rest.substr(0, end));
  const std::string_view text = trim_space_left(s.rest.substr(end));
  HealthcheckSpec check;
  if (type == "NONE") {
    if (!text.empty()) {
      diagnostics.error(s.where, "HEALTHCHECK NONE takes no arguments");
      return std::nullopt;
    }
    check.none = true;
    return check;
  }
  if (!check_flags(s, kFlags, diagnostics)) return std::nullopt;
  if (type != "CMD") {
    diagnostics.error(s.where, format("Unknown type {} in HEALTHCHECK (try CMD)", quoted(type)));
    return std::nullopt;
  }
  if (text.empty() || (s.json.kind == JsonWords::Kind::strings && s.json.words.empty())) {
    diagnostics.error(s.where, "Missing command after HEALTHCHECK CMD");
    return std::nullopt;
  }
  check.command = command_line(s.json, text);
  if (!take_interval(s, "interval", check.interval, diagnostics) || !take_interval(s, "timeout", check.timeout, diagnostics) ||
      !take_interval(s, "start-period", check.start_period, diagnostics) ||
      !take_interval(s, "start-interval", check.start_interval, diagnostics) || !take_retries(s, check.retries, diagnostics))
    return std::nullopt;
  return check;
}

}  // namespace mica::dockerfile
