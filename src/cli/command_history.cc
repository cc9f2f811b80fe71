#include "base/text.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "engine/images.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"format", 0, "string", kFormatHelp},
    {"human", 'H', "", "Print sizes and dates in human readable format\n(default true)"},
    {"no-trunc", 0, "", "Don't truncate output"},
    {"platform", 0, "string", "Show history for the given platform", "images of several platforms are not supported yet"},
    {"quiet", 'q', "", "Only show image IDs"},
};
constexpr Column kColumns[] = {
    {"Comment", "COMMENT"}, {"CreatedAt", "CREATED AT"}, {"CreatedBy", "CREATED BY"}, {"CreatedSince", "CREATED"}, {"ID", "IMAGE"}, {"Size", "SIZE"},
};
constexpr std::size_t kShownCommand = 45;

json::Value row(const engine::HistoryLine& line, bool human, bool full) {
  json::Value value = json::Value::object();
  const bool missing = line.id == "<missing>";
  const Timestamp created = line.created.value_or(Timestamp{});
  const std::string command = replace_all(line.created_by, "\t", " ");
  value.set("Comment", line.comment);
  value.set("CreatedAt", rfc3339(Timestamp::from_seconds(created.seconds())));
  value.set("CreatedBy", full ? command : ellipsis(command, kShownCommand));
  value.set("CreatedSince", !human ? rfc3339(Timestamp::from_seconds(created.seconds())) : line.created ? ago(created.ns) : "N/A");
  value.set("ID", missing || full ? line.id : line.id.substr(7, 12));
  value.set("Size", human ? human_size(line.bytes) : std::to_string(line.bytes));
  return value;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto lines = TRY(engine::image_history(*engine, args.positional(0)));
  std::vector<json::Value> rows;
  for (const auto& line : lines) rows.push_back(row(line, args.flag("human", true), args.flag("no-trunc")));
  const ListStyle style{.table = args.flag("human", true) ? "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
                                                          : "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
                        .columns = kColumns,
                        .type_name = "*formatter.historyContext"};
  const std::string text = TRY(render_list(style, args.flag("quiet") && !args.has("format") ? "{{.ID}}" : args.text("format"), rows));
  TRY(print(text));
  return 0;
}

}  // namespace

constinit const Command kHistory{.usage = "[OPTIONS] IMAGE",
                                 .summary = "Show the history of an image",
                                 .aliases = "mica image history, mica history",
                                 .flags = kFlags,
                                 .least = 1,
                                 .most = 1,
                                 .run = run};

}  // namespace mica::cli
