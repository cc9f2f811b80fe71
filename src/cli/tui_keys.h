/// What is typed at a terminal in raw mode, from bytes to keys. No terminal is needed.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace mica::cli {

enum class KeyKind { text, control, up, down, left, right, page_up, page_down, home, end, tab, back_tab, enter, escape, erase };

struct Key {
  KeyKind kind = KeyKind::text;
  std::string text;                ///< of `text`: one character in UTF-8; of `control`: the letter, or " " for Ctrl+Space
  bool operator==(const Key&) const = default;
};
inline Key control(char letter) { return {KeyKind::control, std::string(1, letter)}; }

/// Bytes may come in any pieces. Enter is Ctrl+M to a terminal, Tab is Ctrl+I.
class KeyReader {
 public:
  void feed(std::string_view bytes) { pending_ += bytes; }
  /// The keys that are complete.
  std::vector<Key> take();
  /// Something waits for more bytes. When none follow within some 50 ms it was Escape: call flush().
  bool is_waiting() const { return !pending_.empty(); }
  std::vector<Key> flush();

 private:
  std::string pending_;
};

}  // namespace mica::cli
