#include "cli/tui_keys.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"

namespace mica::cli {
namespace {

constexpr std::size_t kMaxSequence = 32;   // what is longer is no key

struct Read {
  std::size_t length = 0;          // 0: more bytes are needed
  std::optional<Key> key;          // nullopt: bytes that mean nothing here
};

std::optional<Key> key_of_letter(char letter) {
  switch (letter) {
    case 'A': return Key{KeyKind::up};
    case 'B': return Key{KeyKind::down};
    case 'C': return Key{KeyKind::right};
    case 'D': return Key{KeyKind::left};
    case 'H': return Key{KeyKind::home};
    case 'F': return Key{KeyKind::end};
    case 'M': return Key{KeyKind::enter};
    case 'Z': return Key{KeyKind::back_tab};
    default: return std::nullopt;
  }
}

std::optional<Key> key_of_number(std::string_view number) {
  if (number == "1" || number == "7") return Key{KeyKind::home};
  if (number == "4" || number == "8") return Key{KeyKind::end};
  if (number == "5") return Key{KeyKind::page_up};
  if (number == "6") return Key{KeyKind::page_down};
  return std::nullopt;
}

/// ESC [ parameters letter, or ESC O letter. Modifiers are parameters after ';', which do not count here.
Read read_sequence(std::string_view bytes) {
  if (bytes[1] == 'O') return bytes.size() < 3 ? Read{} : Read{3, key_of_letter(bytes[2])};
  std::size_t at = 2;
  while (at < bytes.size() && bytes[at] >= 0x20 && bytes[at] <= 0x3f) ++at;
  if (at > kMaxSequence) return {at, std::nullopt};
  if (at == bytes.size()) return {};
  const std::string_view parameters = bytes.substr(2, at - 2);
  if (bytes[at] == '~') return {at + 1, key_of_number(parameters.substr(0, parameters.find(';')))};
  return {at + 1, key_of_letter(bytes[at])};
}

Read read_control(unsigned char byte) {
  switch (byte) {
    case '\t': return {1, Key{KeyKind::tab}};
    case '\r': return {1, Key{KeyKind::enter}};
    case 0x7f:
    case '\b': return {1, Key{KeyKind::erase}};
    case 0: return {1, control(' ')};
    default: return {1, byte <= 26 ? std::optional(control(static_cast<char>('a' + byte - 1))) : std::nullopt};
  }
}

Read read_text(std::string_view bytes) {
  const CodePoint point = first_code_point(bytes);
  if (point.length > 0) return {static_cast<std::size_t>(point.length), point.value >= 0xa0 || point.value < 0x80 ? std::optional(Key{KeyKind::text, std::string(bytes.substr(0, static_cast<std::size_t>(point.length)))}) : std::nullopt};
  const auto first = static_cast<unsigned char>(bytes[0]);
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  const bool may_go_on = bytes.size() < length && std::ranges::all_of(bytes.substr(1), [](char c) { return (c & 0xc0) == 0x80; });
  return may_go_on ? Read{} : Read{1, std::nullopt};
}

Read read_key(std::string_view bytes) {
  const auto byte = static_cast<unsigned char>(bytes[0]);
  if (byte == 0x1b) {
    if (bytes.size() == 1) return {};
    if (bytes[1] == '[' || bytes[1] == 'O') return read_sequence(bytes);
    return {1, Key{KeyKind::escape}};
  }
  return byte < 0x20 || byte == 0x7f ? read_control(byte) : read_text(bytes);
}

}  // namespace

std::vector<Key> KeyReader::take() {
  std::vector<Key> keys;
  std::string_view rest = pending_;
  while (!rest.empty()) {
    Read read = read_key(rest);
    if (read.length == 0) break;
    if (read.key) keys.push_back(std::move(*read.key));
    rest.remove_prefix(read.length);
  }
  pending_.erase(0, pending_.size() - rest.size());
  return keys;
}

std::vector<Key> KeyReader::flush() {
  std::vector<Key> keys;
  if (pending_ == "\x1b") keys.push_back({KeyKind::escape, ""});
  pending_.clear();
  return keys;
}

}  // namespace mica::cli
