#include "cli/terminal_width.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "base/text.h"

namespace mica::cli {

OutputTerminal output_terminal() {
  OutputTerminal out;
  if (const char* columns = std::getenv("COLUMNS"))
    if (const auto number = parse_int(columns); number && *number >= 40 && *number <= 1000) out.width = static_cast<int>(*number);
  if (!::isatty(STDOUT_FILENO)) return out;
  struct winsize size {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) out.width = size.ws_col;
  const char* no_colour = std::getenv("NO_COLOR");
  out.colour = !(no_colour && *no_colour);
  return out;
}

}  // namespace mica::cli
