#include "cli/table.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace mica::cli {
namespace {

struct Line {
  std::vector<std::string_view> cells;   ///< the last one is not tab-terminated
};

int width_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

class Layout {
 public:
  Layout(std::vector<Line> lines, const TableStyle& style) : lines_(std::move(lines)), style_(style) {}

  std::string run() {
    block(0, lines_.size());
    return std::move(out_);
  }

 private:
  void write(std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      const auto& cells = lines_[i].cells;
      for (std::size_t k = 0; k < cells.size(); ++k) {
        out_ += cells[k];
        if (k + 1 < cells.size() && k < widths_.size()) out_.append(static_cast<std::size_t>(std::max(0, widths_[k] - width_of(cells[k]))), ' ');
      }
      if (i + 1 < lines_.size()) out_ += '\n';
    }
  }

  /// Writes lines [from, to); columns 0..widths_.size() are settled for all of them.
  void block(std::size_t from, std::size_t to) {
    const std::size_t column = widths_.size();
    for (std::size_t i = from; i < to; ++i) {
      if (column + 1 >= lines_[i].cells.size()) continue;
      write(from, i);
      from = i;
      int width = style_.least_width;
      for (; i < to && column + 1 < lines_[i].cells.size(); ++i) {
        width = std::max(width, width_of(lines_[i].cells[column]) + style_.padding);
      }
      widths_.push_back(width);
      block(from, i);
      widths_.pop_back();
      from = i;
      --i;
    }
    write(from, to);
  }

  std::vector<Line> lines_;
  TableStyle style_;
  std::vector<int> widths_;
  std::string out_;
};

}  // namespace

std::string align_columns(std::string_view text, const TableStyle& style) {
  std::vector<Line> lines;
  for (std::string_view line : split(text, '\n')) lines.push_back({split(line, '\t')});
  return Layout(std::move(lines), style).run();
}

}  // namespace mica::cli
