/// A terminal in raw mode on its alternate screen, given back as it was: at the end of this object, when the process is stopped or continued, and when a signal ends it.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "cli/tui_browser.h"

namespace mica::cli {

class RawTerminal {
 public:
  /// Errors: invalid_argument (standard input or output is no terminal, or one of TERM=dumb).
  static Result<> check();
  /// Takes over the terminal. At most one at a time in a process. Errors: those of check(), of setting the terminal's mode.
  static Result<RawTerminal> open();
  RawTerminal(RawTerminal&& other) noexcept : owns_(std::exchange(other.owns_, false)), shown_(std::move(other.shown_)) {}
  ~RawTerminal();

  static ScreenSize size();
  enum class Woken { input, resized, timeout, cancelled, closed };
  /// Waits for typed bytes, which are appended to `bytes`. `timeout_ms` -1: for ever. `stop`: readable when all is to end (`cancelled`). `resized`: also after the process was continued; then everything is drawn anew.
  Result<Woken> wait(std::string& bytes, int timeout_ms, int stop);
  /// Draws what differs from what was drawn before. Lines are as wide as the terminal.
  void draw(const std::vector<std::string>& lines);
  /// Ctrl+Z: as if the terminal were not raw.
  static void suspend();

 private:
  RawTerminal() = default;
  bool owns_ = true;
  std::vector<std::string> shown_;
};

}  // namespace mica::cli
