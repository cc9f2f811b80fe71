/// Pieces of HTML that all parts of a report share. Whatever comes from an image or a Dockerfile goes through `escaped`.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mica::cli {

/// For text and for attributes in double quotes. Control characters are shown as their symbols (U+2400 on), what is not UTF-8 as U+FFFD.
std::string escaped(std::string_view text);
/// A path or command: escaped, and kept from turning the direction of the text around it.
std::string code(std::string_view text);
/// The same, at most three lines of it shown; the rest is in the tooltip and on paper.
std::string clipped(std::string_view text);
/// "#path=..." for the script, of an absolute path.
std::string path_link(std::string_view path);

/// A bar as wide as its cell: `parts` of 0 to 1, side by side from `start`.
struct BarPart {
  double share = 0;
  const char* kind = "";           ///< class: "live", "dead", "ran", "hit", "bad"
};
std::string bar(double start, const std::vector<BarPart>& parts, std::string_view label);

/// A table that the script makes sortable and searchable, and that becomes a list of cards on narrow screens.
class HtmlTable {
 public:
  enum class Align { text, number, wide };   ///< wide: takes what is left; on cards a line of its own
  struct Column {
    std::string title;
    Align align = Align::text;
    bool sortable = true;
  };
  struct Cell {
    std::string html;
    std::optional<std::int64_t> value = {};  ///< what the column is sorted by; else its text
  };
  HtmlTable(std::string_view id, std::string_view caption, std::vector<Column> columns);
  /// `attributes`: of the row, ready to be written: ` id="layer-3"`. Empty cells are left out of cards.
  void row(const std::vector<Cell>& cells, std::string_view attributes = {});
  /// Rows after this are sorted by themselves; `name` is the group's class.
  void group(std::string_view name);
  /// A last line that is never sorted away.
  void note(std::string_view html) { note_ += html; }
  std::string str() const;

 private:
  std::string head_, body_, note_;
  std::vector<Column> columns_;
};

}  // namespace mica::cli
