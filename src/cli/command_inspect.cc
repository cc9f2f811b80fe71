#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/inspect_format.h"
#include "cli/report_error.h"
#include "engine/containers.h"
#include "engine/inspect_image.h"
#include "engine/networks.h"
#include "engine/volumes.h"

namespace mica::cli {
namespace {

constexpr std::string_view kFormat =
    "Format output using a custom template:\n"
    "'json':             Print in JSON format\n"
    "'TEMPLATE':         Print output using the given Go template";
constexpr Flag kImageFlags[] = {
    {"format", 'f', "string", kFormat},
    {"platform", 0, "string", "Inspect a specific platform of a multi-platform image", "images of several platforms are not supported yet"},
};
constexpr Flag kContainerFlags[] = {
    {"format", 'f', "string", kFormat},
    {"size", 's', "", "Display total file sizes"},
};
constexpr Flag kNetworkFlags[] = {
    {"format", 'f', "string", kFormat},
    {"scope", 0, "string", "", "mica has no swarm"},
    {"verbose", 'v', "", "", "mica has no swarm"},
};
constexpr Flag kVolumeFlags[] = {{"format", 'f', "string", kFormat}};
constexpr Flag kAnyFlags[] = {
    {"format", 'f', "string", kFormat},
    {"size", 's', "", "Display total file sizes if the type is container"},
    {"type", 0, "string", "Only inspect objects of the given type (container, image,\nnetwork, volume)"},
};

struct Found {
  Inspected kind;
  json::Value value;
};

Result<Found> find_one(engine::Engine& engine, Inspected kind, const std::string& name, bool size) {
  switch (kind) {
    case Inspected::container: {
      const auto row = TRY(engine::find_container(engine, name));
      auto value = TRY(engine::inspect_container(engine, row, size));
      return Found{kind, std::move(value)};
    }
    case Inspected::network: {
      const auto network = TRY(container::NetworkTable(engine.database()).resolve(name));
      auto value = TRY(engine::inspect_network(engine, network));
      return Found{kind, std::move(value)};
    }
    case Inspected::volume: {
      auto value = TRY(engine::inspect_volume(engine, name));
      return Found{kind, std::move(value)};
    }
    case Inspected::image: break;
  }
  auto value = TRY(engine::inspect_image(engine, name));
  return Found{Inspected::image, std::move(value)};
}

/// What `inspect` without --type means: the first kind that knows the name.
Result<Found> find_any(engine::Engine& engine, const std::string& name, bool size) {
  for (const auto kind : {Inspected::container, Inspected::image, Inspected::network, Inspected::volume}) {
    auto found = find_one(engine, kind, name, size);
    if (found || found.error().code() != Errc::not_found) return found;
  }
  return failf(Errc::not_found, "No such object: {}", name);
}

Result<int> inspect(Context& context, std::optional<Inspected> kind) {
  const Args& args = context.args;
  const std::string text = args.text("format");
  std::optional<Template> parsed;
  if (!text.empty() && text != "json") {
    auto result = Template::parse(text);
    if (!result) return fail(Error(Errc::invalid_argument, "template parsing error: " + result.error().message()).with_exit_status(64));
    parsed = std::move(*result);
  }
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  json::Value all = json::Value::array();
  std::vector<Error> errors;
  std::string lines;
  for (const std::string& name : args.positionals()) {
    auto found = kind ? find_one(*engine, *kind, name, args.flag("size")) : find_any(*engine, name, args.flag("size"));
    if (!found) {
      errors.push_back(found.error());
      continue;
    }
    if (parsed) {
      auto line = inspect_line(*parsed, found->value, found->kind);
      if (line) lines += *line + "\n";
      else {
        errors.push_back(line.error());
        if (lines.empty()) lines = "\n";
        break;
      }
    } else if (text == "json") {
      lines += json::write(found->value) + "\n";
    }
    all.push(std::move(found->value));
  }
  if (text.empty()) lines = json::write_pretty(all) + "\n";
  else if (lines.empty()) lines = "\n";
  TRY(print(lines));
  int status = 0;
  for (const auto& error : errors) status = report_error(error);
  return status;
}

Result<int> run_image(Context& context) { return inspect(context, Inspected::image); }
Result<int> run_container(Context& context) { return inspect(context, Inspected::container); }
Result<int> run_network(Context& context) { return inspect(context, Inspected::network); }
Result<int> run_volume(Context& context) { return inspect(context, Inspected::volume); }
Result<int> run_any(Context& context) {
  constexpr std::pair<std::string_view, Inspected> kKinds[] = {
      {"container", Inspected::container}, {"image", Inspected::image}, {"network", Inspected::network}, {"volume", Inspected::volume}};
  constexpr std::string_view kOfSwarm[] = {"node", "service", "task", "plugin", "secret", "config"};
  const std::string type = context.args.text("type");
  if (type.empty()) return inspect(context, std::nullopt);
  for (const auto& [word, kind] : kKinds)
    if (word == type) return inspect(context, kind);
  if (std::ranges::count(kOfSwarm, type)) return failf(Errc::unsupported, "--type {}: mica has no swarm and no plugins", type);
  return fail(Error(Errc::invalid_argument, format("unknown type: {}", quoted(type))).with_hint("use container, image, network or volume"));
}

}  // namespace

constinit const Command kImageInspect{.usage = "[OPTIONS] IMAGE [IMAGE...]",
                                      .summary = "Display detailed information on one or more images",
                                      .aliases = {},
                                      .flags = kImageFlags,
                                      .least = 1,
                                      .run = run_image};
constinit const Command kContainerInspect{.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
                                          .summary = "Display detailed information on one or more containers",
                                          .aliases = {},
                                          .flags = kContainerFlags,
                                          .least = 1,
                                          .run = run_container};
constinit const Command kNetworkInspect{.usage = "[OPTIONS] NETWORK [NETWORK...]",
                                        .summary = "Display detailed information on one or more networks",
                                        .aliases = {},
                                        .flags = kNetworkFlags,
                                        .least = 1,
                                        .run = run_network};
constinit const Command kVolumeInspect{.usage = "[OPTIONS] VOLUME [VOLUME...]",
                                       .summary = "Display detailed information on one or more volumes",
                                       .aliases = {},
                                       .flags = kVolumeFlags,
                                       .least = 1,
                                       .run = run_volume};
constinit const Command kInspect{.usage = "[OPTIONS] NAME|ID [NAME|ID...]",
                                 .summary = "Return low-level information on containers, images, networks and volumes",
                                 .aliases = {},
                                 .flags = kAnyFlags,
                                 .least = 1,
                                 .run = run_any};

}  // namespace mica::cli
