/// The page of `analyze` for people: a headline, the layers, what is wasted and what could be smaller.
#pragma once
#include <string>

#include "analyze/analysis.h"
#include "analyze/limits.h"

namespace mica::cli {

struct AnalyzePage {
  int width = 100;                 ///< columns of the terminal
  bool colour = false;
  std::size_t top = 10;            ///< lines a list shows at most
  bool whole = false;              ///< nothing is shortened
};
std::string analyze_page(const analyze::Analysis& analysis, const AnalyzePage& page);

/// "layer 3 (line 6)"; "layer 3" where the line is not known.
std::string layer_words(const analyze::Analysis& analysis, std::size_t layer);
/// A size as the tables have it.
std::string shown_size(std::uint64_t bytes);

/// A table of cells as wide as they need to be: numbers to the right, the column `shrinks` cut so that a line fits `width` (0: never).
class TextTable {
 public:
  struct Cell {
    std::string text;
    const char* colour = nullptr;  ///< escape sequence
  };
  TextTable(std::vector<bool> to_right, std::size_t shrinks, int width, bool colour);
  void add(std::vector<Cell> row);
  std::string str() const;

 private:
  std::vector<bool> to_right_;
  std::size_t shrinks_;
  int width_;
  bool colour_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace mica::cli
