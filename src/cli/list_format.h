/// `--format` of commands that print lists: `table`, `table TEMPLATE`, `json` or a template, over rows of named fields.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/json.h"

namespace mica::cli {

struct Column {
  std::string_view field;            ///< "Repository"
  std::string_view heading;          ///< "REPOSITORY"
};
struct ListStyle {
  std::string_view table;            ///< the default: "table {{.Repository}}\t{{.Tag}}"
  std::span<const Column> columns;   ///< every field a row has
  std::string_view type_name;        ///< Docker's, for messages: "*formatter.imageContext"
};

/// A member of a row that is no field: an object, for {{.Label "key"}}.
inline constexpr std::string_view kLabelsOfRow = "\x01labels";

/// The whole output. `format` empty: the default table. Each row is an object with exactly the columns' fields, as strings.
/// Errors: invalid_argument, "template parsing error: ..." as Docker has it.
Result<std::string> render_list(const ListStyle& style, std::string format, const std::vector<json::Value>& rows);

/// One object by a template (`version --format`, `info --format`, `system df -v --format`); `json` prints it as one line.
/// Errors: as above, with exit status 64 when `inspect`-like commands get a template that does not parse.
Result<std::string> render_one(std::string format, const json::Value& value, std::string_view type_name);

/// "5 minutes ago"; "N/A" for no time.
std::string ago(std::int64_t ns);

/// Field help of list commands.
inline constexpr std::string_view kFormatHelp =
    "Format output using a custom template:\n"
    "'table':            Print output in table format with column\n"
    "                    headers (default)\n"
    "'table TEMPLATE':   Print output in table format using the\n"
    "                    given Go template\n"
    "'json':             Print one JSON object a line\n"
    "'TEMPLATE':         Print output using the given Go template";

}  // namespace mica::cli
