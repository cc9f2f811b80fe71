#include "cli/list_format.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/table.h"
#include "cli/template.h"

namespace mica::cli {
namespace {

Error template_error(const Error& error) { return Error(Errc::invalid_argument, "template parsing error: " + error.message()); }

std::string with_escapes(std::string text) { return replace_all(replace_all(std::move(text), "\\t", "\t"), "\\n", "\n"); }

}  // namespace

Result<std::string> render_list(const ListStyle& style, std::string text, const std::vector<json::Value>& rows) {
  if (text.empty() || text == "table") text = style.table;
  const bool table = text.starts_with("table");
  if (table) text = text.substr(5);
  if (text == "json") text = "{{json .}}";
  auto parsed = Template::parse(with_escapes(std::string(trim(text, " "))));
  if (!parsed) return fail(template_error(parsed.error()));

  Typing typing;
  typing.missing = Typing::Missing::typed;
  typing.type_name = style.type_name;
  typing.escape_html_in_root_json = true;
  std::string out;
  if (table) {
    json::Value header = json::Value::object();
    for (const Column& column : style.columns) header.set(column.field, column.heading);
    auto shown = parsed->execute_header(header, out);
    if (!shown) return fail(template_error(shown.error()));
    out += '\n';
  }
  for (const json::Value& row : rows) {
    json::Object members = row.as_object();
    if (!members.empty() && members.back().first == kLabelsOfRow) {
      typing.method = [labels = std::move(members.back().second)](std::string_view name, std::span<const json::Value> arguments) -> std::optional<json::Value> {
        if (name != "Label" || arguments.size() != 1 || !arguments[0].is_string()) return std::nullopt;
        return json::Value(labels.string_or(arguments[0].as_string()));
      };
      members.pop_back();
    }
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    auto shown = parsed->execute(json::Value(std::move(members)), typing, out);
    if (!shown) return fail(template_error(shown.error()));
    out += '\n';
  }
  return table ? align_columns(out) : out;
}

Result<std::string> render_one(std::string text, const json::Value& value, std::string_view type_name) {
  if (text == "json") text = "{{json .}}";
  auto parsed = Template::parse(with_escapes(std::move(text)));
  if (!parsed) return fail(template_error(parsed.error()).with_exit_status(64));
  Typing typing;
  typing.missing = Typing::Missing::typed;
  typing.type_name = type_name;
  std::string out;
  auto shown = parsed->execute(value, typing, out);
  if (!shown) return fail(template_error(shown.error()));
  return out + "\n";
}

std::string ago(std::int64_t ns) {
  if (ns == 0) return "N/A";
  return human_duration(std::max<std::int64_t>(0, (now().ns - ns) / 1'000'000'000)) + " ago";
}

}  // namespace mica::cli
