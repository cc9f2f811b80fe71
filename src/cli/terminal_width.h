/// What standard output is: for pages that fit their width to it.
#pragma once

namespace mica::cli {

struct OutputTerminal {
  int width = 120;                 ///< of the terminal; elsewhere $COLUMNS, else this
  bool colour = false;             ///< a terminal, and NO_COLOR is not set
};
OutputTerminal output_terminal();

}  // namespace mica::cli
