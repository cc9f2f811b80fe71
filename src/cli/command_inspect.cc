#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/inspect_format.h"
#include "cli/report_error.h"
#include "engine/inspect_image.h"

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
constexpr Flag kAnyFlags[] = {
    {"format", 'f', "string", kFormat},
    {"size", 's', "", "Display total file sizes if the type is container"},
    {"type", 0, "string", "Only inspect objects of the given type (image)"},
};

Result<int> inspect(Context& context, std::string_view missing) {
  const Args& args = context.args;
  std::string text = args.text("format");
  std::optional<Template> parsed;
  if (!text.empty() && text != "json") {
    auto result = Template::parse(text);
    if (!result) return fail(Error(Errc::invalid_argument, "template parsing error: " + result.error().message()).with_exit_status(64));
    parsed = std::move(*result);
  }
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  json::Value found = json::Value::array();
  std::vector<Error> errors;
  std::string lines;
  for (const std::string& name : args.positionals()) {
    auto value = engine::inspect_image(*engine, name);
    if (!value) {
      const bool rename = value.error().code() == Errc::not_found && !missing.empty();
      errors.push_back(rename ? Error(Errc::not_found, format("{}: {}", missing, name)) : value.error());
      continue;
    }
    if (parsed) {
      auto line = inspect_line(*parsed, *value);
      if (line) lines += *line + "\n";
      else {
        errors.push_back(line.error());
        if (lines.empty()) lines = "\n";
        break;
      }
    } else if (text == "json") {
      lines += json::write(*value) + "\n";
    }
    found.push(std::move(*value));
  }
  if (text.empty()) lines = json::write_pretty(found) + "\n";
  else if (lines.empty()) lines = "\n";
  TRY(print(lines));
  int status = 0;
  for (const auto& error : errors) status = report_error(error);
  return status;
}

Result<int> run_image(Context& context) { return inspect(context, ""); }
Result<int> run_any(Context& context) {
  const std::string type = context.args.text("type");
  if (!type.empty() && type != "image") {
    constexpr std::string_view kTypes[] = {"container", "network", "volume", "node", "service", "task", "plugin", "secret", "config"};
    if (std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes))
      return failf(Errc::invalid_argument, "unknown type: {}: use image", quoted(type));
    return failf(Errc::unsupported, "--type {}: mica inspects images only so far", type);
  }
  return inspect(context, type.empty() ? "No such object" : "");
}

}  // namespace

constinit const Command kImageInspect{.usage = "[OPTIONS] IMAGE [IMAGE...]",
                                      .summary = "Display detailed information on one or more images",
                                      .aliases = {},
                                      .flags = kImageFlags,
                                      .least = 1,
                                      .run = run_image};
constinit const Command kInspect{.usage = "[OPTIONS] NAME|ID [NAME|ID...]",
                                 .summary = "Return low-level information on images",
                                 .aliases = {},
                                 .flags = kAnyFlags,
                                 .least = 1,
                                 .run = run_any};

}  // namespace mica::cli
