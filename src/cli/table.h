/// Columns as Go's text/tabwriter lays them out with Docker's settings: cells end in a tab, a column is a block of consecutive
/// lines that have such a cell, its width is the widest cell plus 3, at least 10. The last cell of a line is not aligned.
#pragma once
#include <string>
#include <string_view>

namespace mica::cli {

struct TableStyle {
  int least_width = 10;
  int padding = 3;
};
/// Lays out whole text (lines of tab-terminated cells). Widths count UTF-8 characters.
std::string align_columns(std::string_view text, const TableStyle& style = {});

}  // namespace mica::cli
