#include "cli/tui_keys.h"

#include <doctest/doctest.h>

using namespace mica::cli;

namespace {

std::string shown(const std::vector<Key>& keys) {
  static constexpr std::string_view kNames[] = {"text", "ctrl", "up", "down", "left", "right", "pgup", "pgdn", "home", "end", "tab", "backtab", "enter", "esc", "erase"};
  std::string out;
  for (const Key& key : keys) out += (out.empty() ? "" : " ") + (key.kind == KeyKind::text ? "'" + key.text + "'" : std::string(kNames[static_cast<int>(key.kind)]) + key.text);
  return out;
}
std::string read(std::string_view bytes) {
  KeyReader reader;
  reader.feed(bytes);
  const std::string keys = shown(reader.take());
  CHECK_FALSE(reader.is_waiting());
  return keys;
}

}  // namespace

TEST_CASE("bytes of a terminal become keys") {
  const struct {
    std::string_view bytes, keys;
  } cases[] = {
      {"ab", "'a' 'b'"},
      {"\x1b[A\x1b[B\x1b[C\x1b[D", "up down right left"},
      {"\x1bOA\x1bOB\x1bOH\x1bOF", "up down home end"},
      {"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~", "home end home end home end"},
      {"\x1b[5~\x1b[6~", "pgup pgdn"},
      {"\x1b[1;5A\x1b[5;2~", "up pgup"},
      {"\t\x1b[Z\r\x7f\b", "tab backtab enter erase erase"},
      {"\x01\x03\x1a", "ctrla ctrlc ctrlz"},
      {"ä€😀", "'ä' '€' '😀'"},
      {"\x1b[200~x\x1b[?62c\x1b[99~", "'x'"},
      {"\xff\xc3(", "'('"},
      {"\x1b" "a", "esc 'a'"},
      {"\x1b\x1b[A", "esc up"},
  };
  for (const auto& one : cases) CHECK(read(one.bytes) == one.keys);
  CHECK(read(std::string_view("\0", 1)) == "ctrl ");
}

TEST_CASE("sequences may come in pieces, and Escape alone is known by the silence after it") {
  KeyReader reader;
  for (const char byte : std::string_view("\x1b[5")) {
    reader.feed({&byte, 1});
    CHECK(reader.take().empty());
    CHECK(reader.is_waiting());
  }
  reader.feed("~");
  CHECK(shown(reader.take()) == "pgup");
  reader.feed("\x1b");
  CHECK(reader.take().empty());
  CHECK(shown(reader.flush()) == "esc");
  CHECK_FALSE(reader.is_waiting());
  reader.feed("\xe2\x82");
  CHECK(reader.take().empty());
  reader.feed("\xac");
  CHECK(shown(reader.take()) == "'€'");
}

TEST_CASE("a sequence without end is dropped") {
  KeyReader reader;
  reader.feed("\x1b[" + std::string(100, '1'));
  CHECK(reader.take().empty());
  CHECK_FALSE(reader.is_waiting());
}
