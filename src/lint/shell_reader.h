/// The parser behind shell::parse(): recursive descent over characters, since what a character means in shell depends on the rule that
/// is at work. Internal.
///
/// Time is linear in the text but for one thing: "((" may begin an arithmetic command or two subshells, and the text tells only at its end; each
/// such try goes one level deeper when it fails, so kMaxDepth bounds them.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lint/shell.h"

namespace mica::lint::shell {

/// What program_index() answers, for a simple command that has all its words.
std::size_t find_program(const Command& command);

class Reader {
 public:
  /// `places`: where each byte of `text` stands (size + 1 entries), for text that was unescaped from another; null: it is the text itself.
  Reader(std::string_view text, const std::vector<std::size_t>* places, std::size_t depth)
      : text_(text), places_(places), depth_(depth) {}

  /// The whole text.
  List script();
  std::optional<Fault> fault;
  std::vector<std::size_t> comments;

 private:
  struct PendingDocument {
    std::shared_ptr<HereDocument> document;
    std::string delimiter;
    bool strip_tabs = false;
  };
  /// One more of what kMaxDepth bounds, for as long as it lives.
  class Level {
   public:
    explicit Level(Reader& reader) : reader_(reader) {
      if (++reader_.depth_ > kMaxDepth) reader_.fail(reader_.pos_, "nested too deeply");
    }
    ~Level() { --reader_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Reader& reader_;
  };

  // Characters (shell_words.cc)
  bool more() const { return !fault && pos_ < text_.size(); }
  char peek(std::size_t ahead = 0) const { return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0'; }
  bool at(std::string_view text) const { return text_.substr(pos_).starts_with(text); }
  std::size_t place(std::size_t pos) const { return places_ ? (*places_)[pos] : pos; }
  /// Of what ends before byte `pos`: escapes after it do not belong to it.
  std::size_t end_place(std::size_t pos) const { return places_ && pos > 0 ? (*places_)[pos - 1] + 1 : pos; }
  void fail(std::size_t pos, std::string message);
  void skip_blanks(bool comments_too = true);
  void skip_newlines();
  void take_newline();
  void read_document(const PendingDocument& pending);

  // Words (shell_words.cc)
  Word word(bool regex = false);
  std::vector<Word> array_elements(Word& whole);
  bool take_part(Word& word);
  void take_parentheses(Word& word);
  void take_single_quotes(Word& word);
  void take_ansi_quotes(Word& word);
  void take_double_quotes(Word& word);
  void take_dollar(Word& word, bool quoted);
  void take_braces(Word& word, bool quoted);
  void take_arithmetic(Word& word, std::size_t end, bool quoted);
  void take_substitution(Word& word, bool quoted, Expansion::Kind kind);
  void take_backticks(Word& word, bool quoted);
  void take_expansions_until(Word& word, std::size_t end);
  std::size_t arithmetic_end(std::size_t from) const;

  // Grammar (shell_parser.cc)
  std::string_view keyword() const;
  bool take_keyword(std::string_view word);
  bool expect(std::string_view word, std::string_view what, std::size_t opened);
  bool at_list_end() const;
  bool at_redirect() const;
  List list();
  AndOr and_or();
  Pipeline pipeline();
  Command command();
  void simple(Command& command);
  bool take_assignment(Command& command);
  void compound(Command& command, std::string_view word);
  void conditional(Command& command);
  void loop(Command& command);
  void for_loop(Command& command);
  void case_of(Command& command);
  void case_arm(Command& command);
  void function(Command& command, bool with_keyword);
  void test(Command& command);
  void redirect(Command& command);

  std::string_view text_;
  const std::vector<std::size_t>* places_;
  std::size_t depth_;
  std::size_t pos_ = 0;
  std::vector<PendingDocument> pending_;
};

}  // namespace mica::lint::shell
