#include <algorithm>
#include <cstdio>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "cli/template.h"
#include "container/events.h"
#include "engine/filters.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr std::string_view kFilters[] = {"config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope", "secret", "service", "type", "volume"};
constexpr Flag kFlags[] = {
    {"filter", 'f', "filter", "Filter output based on conditions provided:\ncontainer, event, image, label, network, scope, type,\nvolume"},
    {"format", 0, "string", "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template"},
    {"since", 0, "string", "Show all events created since timestamp"},
    {"until", 0, "string", "Stream events until this timestamp"},
};

std::string attribute(const json::Value& event, std::string_view name) {
  const auto* actor = event.find("Actor");
  const auto* attributes = actor ? actor->find("Attributes") : nullptr;
  return attributes ? attributes->string_or(name) : "";
}

bool matches(const engine::Filters& filters, const json::Value& event) {
  const std::string type = event.string_or("Type"), action = event.string_or("Action"), id = event.find("Actor") ? event.find("Actor")->string_or("ID") : "", name = attribute(event, "name");
  const auto is_one = [&](const std::string& key, auto&& test) {
    const auto found = filters.find(key);
    return found == filters.end() || std::ranges::any_of(found->second, test);
  };
  const auto names_it = [&](const std::string& value) { return value == name || (!value.empty() && id.starts_with(value)); };
  for (const char* kind : {"container", "network", "volume"})
    if (!is_one(kind, [&](const auto& value) { return (type == kind && names_it(value)) || (type == "network" && kind == std::string_view("container") && attribute(event, "container").starts_with(value)); })) return false;
  if (!is_one("image", [&](const auto& value) { return (type == "image" && names_it(value)) || attribute(event, "image") == value; })) return false;
  if (!is_one("label", [&](const auto& value) {
        const auto parts = split_once(value, '=');
        const auto* actor = event.find("Actor");
        const auto* attributes = actor ? actor->find("Attributes") : nullptr;
        const auto* label = attributes ? attributes->find(parts ? parts->first : std::string_view(value)) : nullptr;
        return label && (!parts || (label->is_string() && label->as_string() == parts->second));
      }))
    return false;
  if (!is_one("scope", [](const auto& value) { return value == "local"; }) || !is_one("daemon", [](const auto&) { return false; })) return false;
  return is_one("type", [&](const auto& value) { return value == type; }) && is_one("event", [&](const auto& value) { return action == value || action.starts_with(value + ":"); });
}

/// "2026-11-25T17:11:16.871502072Z container start ID (image=app:1, name=web)"
std::string line_of(const json::Value& event) {
  const std::int64_t ns = event.int_or("timeNano");
  std::string text = format("{} {} {} ", rfc3339_nanos(Timestamp{ns}), event.string_or("Type"), event.string_or("Action"));
  const auto* actor = event.find("Actor");
  if (!actor) return text;
  text += actor->string_or("ID");
  std::vector<std::string> attributes;
  if (const auto* all = actor->find("Attributes"); all && all->is_object())
    for (const auto& [key, value] : all->as_object()) attributes.push_back(format("{}={}", key, value.is_string() ? value.as_string() : ""));
  std::ranges::sort(attributes);
  if (!attributes.empty()) text += " (" + join(attributes, ", ") + ")";
  return text;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const auto filters = TRY(engine::parse_filters(args.list("filter"), kFilters));
  std::optional<Timestamp> since, until;
  if (args.has("since")) since = TRY(engine::parse_until(args.text("since"), now()));
  if (args.has("until")) until = TRY(engine::parse_until(args.text("until"), now()));
  const std::string text = args.text("format");
  if (!text.empty() && text != "json")
    if (auto parsed = Template::parse(text); !parsed) return fail(Error(Errc::invalid_argument, "Error parsing format: " + parsed.error().message()).with_exit_status(64));
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  auto read = container::read_events(engine->root(), since, until,
                                     [&](const json::Value& event) -> Result<> {
                                       if (!matches(filters, event)) return {};
                                       std::string line;
                                       if (text.empty()) line = line_of(event) + "\n";
                                       else if (text == "json") line = json::write(event) + "\n";
                                       else line = TRY(render_one(text, event, "events.Message"));
                                       TRY(print(line));
                                       return std::fflush(stdout) == 0 ? Result<>() : fail_errno("writing output");
                                     },
                                     interrupt.cancel().fd());
  if (!read && read.error().code() != Errc::cancelled) return fail(std::move(read).error());
  return 0;
}

}  // namespace

constinit const Command kEvents{.usage = "[OPTIONS]",
                                .summary = "Get real time events from mica",
                                .aliases = "mica system events, mica events",
                                .flags = kFlags,
                                .least = 0,
                                .most = 0,
                                .run = run};

}  // namespace mica::cli
