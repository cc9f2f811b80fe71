/// Shell text of a RUN as a tree with places: POSIX shell, and what bash adds, as far as a linter needs it. A real tokenizer and parser, not a shell: nothing is expanded.
///
/// Offsets are bytes of the text that was parsed; a node's range covers its quotes. Text that is no valid shell gives a `fault` and the commands before it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mica::lint::shell {

inline constexpr std::size_t kMaxDepth = 200;      ///< nesting of commands and substitutions; deeper is a fault

struct List;

/// A part of a word that the shell would expand.
struct Expansion {
  enum class Kind : std::uint8_t { variable, command, arithmetic, process } kind = Kind::variable;
  std::size_t begin = 0, end = 0;
  bool quoted = false;                   ///< within double quotes
  std::string name;                      ///< variables: without braces and operators
  std::string operation;                 ///< "${x:-y}": ":-y"
  std::shared_ptr<const List> commands;  ///< command and process substitutions
};

struct Word {
  std::string text;                      ///< quotes and escapes removed; variables as ${name}; command substitutions as $(...) with their text
  std::size_t begin = 0, end = 0;
  bool quoted = false;                   ///< some part stands in quotes or behind a backslash
  bool literal = true;                   ///< no expansion in it: `text` is what the program gets (but for globs and braces)
  bool glob = false;                     ///< an unquoted * ? or [
  std::vector<Expansion> expansions;
};

/// Body of a here-document inside shell text.
struct HereDocument {
  std::string body;                      ///< as it stands, without the tabs that <<- takes off
  std::size_t begin = 0, end = 0;        ///< of the body's lines
  bool literal = false;                  ///< the delimiter was quoted: nothing is expanded
  std::vector<Expansion> expansions;
};

struct Redirect {
  std::string operation;                 ///< ">", ">>", "<", "<<", "<<-", "<<<", ">&", "&>", ...
  int fd = -1;
  Word target;
  std::shared_ptr<const HereDocument> document;   ///< of << and <<-
  std::size_t begin = 0, end = 0;
};

struct Assignment {
  std::string name;                      ///< without subscript
  bool appends = false;                  ///< +=
  Word value;                            ///< of an array: its text with parentheses, and the expansions of all elements
  std::vector<Word> elements;            ///< of an array
  std::size_t begin = 0, end = 0;
};

struct Command {
  enum class Kind : std::uint8_t { simple, group, subshell, conditional, loop, for_loop, case_of, function, arithmetic, test } kind = Kind::simple;
  std::size_t begin = 0, end = 0;
  std::vector<Assignment> assignments;   ///< in front of a simple command, or alone
  std::size_t program_at = 0;            ///< simple: see program_index()
  std::vector<Word> words;               ///< simple: name and arguments; for: variable and words; case: the word; function: its name; test: the words in [[ ]]
  std::vector<Redirect> redirects;
  std::vector<List> bodies;              ///< group, subshell: one; if: condition, then, condition, then, ..., else; loops: (condition,) body; case: one each
  std::string_view keyword;              ///< "if", "while", "until", "for", "select", "case"
};

struct Pipeline {
  bool negated = false;
  std::vector<Command> commands;
  std::vector<std::size_t> bars;         ///< offsets of the | between them
  std::size_t begin = 0, end = 0;
};

/// One or more pipelines joined by && and ||.
struct AndOr {
  struct Link {
    enum class Kind : std::uint8_t { first, and_then, or_else } kind = Kind::first;
    std::size_t operator_begin = 0, operator_end = 0;   ///< of the && or || before it
    Pipeline pipeline;
  };
  std::vector<Link> links;
  std::size_t begin = 0, end = 0;
  enum class End : std::uint8_t { none, semicolon, newline, background } ended = End::none;
  std::size_t terminator = 0;            ///< offset of what ended it
};

struct List {
  std::vector<AndOr> items;
};

struct Fault {
  std::size_t offset = 0;
  std::string message;
};

struct Script {
  std::string text;
  List list;
  std::optional<Fault> fault;
  std::vector<std::size_t> comments;     ///< offsets of '#'
};

Script parse(std::string text);
/// Words of exec form as one simple command; ranges are empty.
Script from_words(const std::vector<std::string>& words);

/// A simple command where it stands.
struct Visit {
  const Command* command = nullptr;
  const Pipeline* pipeline = nullptr;
  const AndOr* and_or = nullptr;
  std::size_t link = 0;                  ///< in and_or
  bool top_level = false;                ///< not within a group, loop, function or substitution
  bool conditional = false;              ///< within an if, case or loop, or behind an ||: may not run
  bool in_substitution = false;
};
/// All simple commands, in the order of the text, those in substitutions and functions too.
void each_command(const Script& script, const std::function<void(const Visit&)>& visit);
/// Commands of every kind, compound ones before what they hold.
void each_node(const Script& script, const std::function<void(const Visit&)>& visit);

/// Index of the word that names the program, wrappers looked through (sudo, env, exec, nice, time, command; "sh -c" not). words.size(): there is none.
std::size_t program_index(const Command& command);
/// Name of the program: the last path component of that word. Empty: none, or not literal.
std::string_view program(const Command& command);
/// Words after the program that do not begin with '-'. A flag's separate value counts as a word unless the flag is in `flags_with_value`.
std::vector<const Word*> operands(const Command& command, std::vector<std::string_view> flags_with_value = {});
/// "-y" also within "-qy"; "--yes" also as "--yes=...".
bool has_flag(const Command& command, std::string_view flag);

}  // namespace mica::lint::shell
