#include "cli/tui.h"

#include <cstdlib>

#include "base/text.h"
#include "cli/tui_terminal.h"

namespace mica::cli {
namespace {

constexpr int kEscapeMs = 50;   // after which Escape was no beginning of a sequence

/// As the C library decides it: the first of these that is set and not empty.
bool is_utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (const char* value = std::getenv(name); value && *value) {
      const std::string locale = to_lower(value);
      return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
    }
  return false;
}

bool has_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return !(no_colour && *no_colour);
}

void draw(RawTerminal& terminal, Browser& browser, bool colour) {
  std::vector<std::string> lines;
  for (const Line& line : browser.frame(RawTerminal::size())) lines.push_back(ansi_text(line, colour));
  terminal.draw(lines);
}

void press(Browser& browser, const std::vector<Key>& keys, const WriteFile& write) {
  for (const Key& key : keys) {
    if (key == control('z')) RawTerminal::suspend();
    else browser.press(key);
    if (const auto wanted = browser.take_wanted()) {
      const auto written = write(*wanted);
      browser.say(shown_name(written ? *written : written.error().text(), {}));
    }
    if (browser.is_done()) return;
  }
}

}  // namespace

Result<> browse(const analyze::Image& image, const analyze::Analysis& analysis, const WriteFile& write, const task::Cancel& cancel) {
  Browser browser(image, analysis, {.utf8 = is_utf8_locale()});
  auto terminal = TRY(RawTerminal::open());
  const bool colour = has_colour();
  KeyReader reader;
  while (!browser.is_done()) {
    draw(terminal, browser, colour);
    std::string bytes;
    const auto woken = TRY(terminal.wait(bytes, reader.is_waiting() ? kEscapeMs : -1, cancel.fd()));
    switch (woken) {
      case RawTerminal::Woken::cancelled: return fail(task::Cancel::error());
      case RawTerminal::Woken::closed: return {};
      case RawTerminal::Woken::resized: break;
      case RawTerminal::Woken::timeout: press(browser, reader.flush(), write); break;
      case RawTerminal::Woken::input:
        reader.feed(bytes);
        press(browser, reader.take(), write);
        break;
    }
  }
  return {};
}

}  // namespace mica::cli
