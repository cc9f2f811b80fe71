/// Go's text/template over JSON values: what `--format` and `inspect -f` speak.
///
/// The language is that of Go 1.24 with Docker's extra functions (json join split lower upper title pad truncate). Values are
/// `json::Value`; Go's static types show only in a few places, and there `Typing` tells how the original object is typed.
/// Errors carry Go's own wording ("template: :1:2: executing "" at <.Foo>: ..."), since scripts compare it.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/json.h"

namespace mica::cli {

/// How a null or absent member behaves.
enum class Hint {
  none,       ///< untyped nil: "<no value>"
  pointer,    ///< nil pointer: "<nil>"
  list,       ///< nil slice: "[]", length 0
  string_map, ///< nil map[string]string: "map[]", absent keys index to ""
  structure,  ///< prints as {a b}
  text,       ///< "" when absent
};

/// The Go type behind the data, as far as it shows.
struct Typing {
  enum class Missing {
    typed,    ///< absent fields are errors ("can't evaluate field") unless `fields` knows them
    error,    ///< a map with missingkey=error ("map has no entry for key")
    no_value, ///< a plain map: "<no value>"
  };
  Missing missing = Missing::no_value;
  std::string type_name = "map[string]interface {}";              ///< of the root, for messages
  std::vector<std::pair<std::string_view, Hint>> fields;          ///< by member name, at any depth
  bool escape_html_in_root_json = false;                          ///< list rows marshal themselves: {{json .}} escapes <, >, &
  bool go_names = false;   ///< data has the names of JSON, templates those of Go: .RootFS.DiffIDs is rootfs.diff_ids
  int json_indent = 0;     ///< of {{json ...}}, in spaces, with <, > and & escaped; 0: one line
  /// Methods with arguments of the root, as `.Label "k"`; nullopt: no such method.
  std::function<std::optional<json::Value>(std::string_view name, std::span<const json::Value> arguments)> method;
};

class Template {
 public:
  /// Errors: invalid_argument with Go's text, "template: :1: unclosed action".
  static Result<Template> parse(std::string_view text);
  /// Appends to `out`; on error `out` holds what came before it. Errors: invalid_argument, Go's text.
  Result<> execute(const json::Value& data, const Typing& typing, std::string& out) const;
  /// The header row of a `table` format: `data` maps fields to headings and the functions leave text alone.
  Result<> execute_header(const json::Value& data, std::string& out) const;

  struct Tree;

 private:
  std::shared_ptr<const Tree> tree_;
};

}  // namespace mica::cli
