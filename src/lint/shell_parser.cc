// The grammar of shell text: lists, pipelines, compound commands.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "lint/shell_reader.h"
#include "lint/shell_syntax.h"

namespace mica::lint::shell {
namespace {

constexpr std::string_view kClosing[] = {"then", "do", "done", "fi", "elif", "else", "esac", "}"};
constexpr std::string_view kOpening[] = {"if", "while", "until", "for", "select", "case", "{", "[[", "function"};
constexpr std::string_view kRedirects[] = {"<<<", "<<-", "<<", "<>", "<&", "<", ">>", ">&", ">|", ">", "&>>", "&>"};

bool is_closing(std::string_view word) { return std::ranges::find(kClosing, word) != std::end(kClosing); }

List list_of(Command command) {
  AndOr item{.begin = command.begin, .end = command.end};
  Pipeline pipeline{.begin = command.begin, .end = command.end};
  pipeline.commands.push_back(std::move(command));
  item.links.push_back({.pipeline = std::move(pipeline)});
  List list;
  list.items.push_back(std::move(item));
  return list;
}

}  // namespace

List Reader::script() {
  List all = list();
  if (fault || pos_ >= text_.size()) return all;
  const std::string_view word = keyword();
  fail(pos_, format("{} where a command is expected", quoted(word.empty() ? text_.substr(pos_, 1) : word)));
  return all;
}

/// The characters up to the next one that ends a word, when none of them could be quoted.
std::string_view Reader::keyword() const {
  std::size_t end = pos_;
  while (end < text_.size() && end - pos_ < 10 && ((text_[end] >= 'a' && text_[end] <= 'z') ||
                                                   std::string_view("{}[]!").find(text_[end]) != std::string_view::npos))
    ++end;
  if (end < text_.size() && !ends_word(text_[end]) && text_[end] != '\r') return {};
  return text_.substr(pos_, end - pos_);
}

bool Reader::take_keyword(std::string_view word) {
  skip_newlines();
  if (keyword() != word) return false;
  pos_ += word.size();
  return true;
}

bool Reader::expect(std::string_view word, std::string_view what, std::size_t opened) {
  if (fault) return false;
  if (take_keyword(word)) return true;
  if (pos_ < text_.size())
    fail(pos_, format("no \"{}\" where {} needs one", word, what));
  else
    fail(opened, format("{} without its \"{}\"", what, word));
  return false;
}

bool Reader::at_list_end() const {
  if (pos_ >= text_.size() || text_[pos_] == ')' || at(";;") || at(";&")) return true;
  return is_closing(keyword());
}

List Reader::list() {
  List list;
  while (true) {
    skip_newlines();
    if (!more() || at_list_end()) return list;
    AndOr item = and_or();
    if (!item.links.empty()) list.items.push_back(std::move(item));
    skip_blanks();
    if (!more() || list.items.empty()) return list;
    AndOr& last = list.items.back();
    if (peek() == '\n') {
      last.ended = AndOr::End::newline;
    } else if (at(";;") || at(";&")) {
      return list;
    } else if (peek() == ';') {
      last.ended = AndOr::End::semicolon;
      last.terminator = place(pos_++);
      continue;
    } else if (peek() == '&') {
      last.ended = AndOr::End::background;
      last.terminator = place(pos_++);
      continue;
    } else {
      return list;
    }
    last.terminator = place(pos_);
    take_newline();
  }
}

AndOr Reader::and_or() {
  AndOr item{.begin = place(pos_)};
  AndOr::Link link;
  while (true) {
    link.pipeline = pipeline();
    if (!link.pipeline.commands.empty()) {
      item.end = link.pipeline.end;
      item.links.push_back(std::move(link));
    }
    skip_blanks();
    if (!more() || (!at("&&") && !at("||"))) return item;
    link = {.kind = at("&&") ? AndOr::Link::Kind::and_then : AndOr::Link::Kind::or_else,
            .operator_begin = place(pos_),
            .operator_end = end_place(pos_ + 2)};
    pos_ += 2;
    skip_newlines();
  }
}

Pipeline Reader::pipeline() {
  Pipeline pipeline{.begin = place(pos_)};
  for (std::string_view word = keyword(); word == "!" || word == "time"; word = keyword()) {
    if (word == "time") {
      // With options of its own it is a program, but for -p.
      const std::size_t next = text_.find_first_not_of(" \t", pos_ + 4);
      if (next == std::string_view::npos || (text_[next] == '-' && !text_.substr(next).starts_with("-p "))) break;
      pos_ = text_[next] == '-' ? next + 2 : next;
    } else {
      pipeline.negated = !pipeline.negated;
      ++pos_;
    }
    skip_blanks();
  }
  while (true) {
    Command next = command();
    if (!fault || !next.words.empty()) {
      pipeline.end = next.end;
      pipeline.commands.push_back(std::move(next));
    }
    skip_blanks();
    if (!more() || peek() != '|' || at("||")) return pipeline;
    pipeline.bars.push_back(place(pos_));
    pos_ += at("|&") ? 2 : 1;
    skip_newlines();
  }
}

Command Reader::command() {
  const Level level(*this);
  Command command{.begin = place(pos_)};
  if (fault) return command;
  const std::string_view word = keyword();
  const bool is_opening = std::ranges::find(kOpening, word) != std::end(kOpening);
  if (peek() != '(' && !is_opening) {
    simple(command);
    command.program_at = find_program(command);
  } else {
    compound(command, is_opening ? word : "(");
    command.end = end_place(pos_);
    while (!fault) {
      skip_blanks();
      if (!at_redirect()) break;
      redirect(command);
      command.end = end_place(pos_);
    }
  }
  if (fault) command.end = std::max(command.begin, end_place(std::min(pos_, text_.size())));
  return command;
}

bool Reader::at_redirect() const {
  std::size_t at = pos_;
  while (at < text_.size() && text_[at] >= '0' && text_[at] <= '9') ++at;
  if (at >= text_.size()) return false;
  if (text_[at] == '<' || text_[at] == '>') return at > pos_ || at + 1 >= text_.size() || text_[at + 1] != '(';
  return at == pos_ && text_.substr(at).starts_with("&>");
}

void Reader::redirect(Command& command) {
  Redirect redirect{.begin = place(pos_)};
  for (int digits = 0; peek() >= '0' && peek() <= '9'; ++digits, ++pos_)
    if (digits < 6) redirect.fd = std::max(redirect.fd, 0) * 10 + (peek() - '0');
  for (const std::string_view operation : kRedirects)
    if (redirect.operation.empty() && at(operation)) redirect.operation = operation;
  const std::size_t operation_begin = pos_;
  pos_ += redirect.operation.size();
  skip_blanks(false);
  redirect.target = word();
  if (!fault && redirect.target.begin == redirect.target.end) fail(operation_begin, "a redirection to nowhere");
  if (fault) return;
  redirect.end = redirect.target.end;
  if (redirect.operation == "<<" || redirect.operation == "<<-") {
    auto document = std::make_shared<HereDocument>();
    document->literal = redirect.target.quoted;
    pending_.push_back({document, redirect.target.text, redirect.operation == "<<-"});
    redirect.document = std::move(document);
  }
  command.redirects.push_back(std::move(redirect));
}

void Reader::simple(Command& command) {
  const std::size_t first = pos_;
  std::size_t end = pos_;
  while (true) {
    skip_blanks();
    if (!more()) break;
    const char c = peek();
    if (at_redirect()) {
      redirect(command);
    } else if (c == '(') {
      if (command.words.size() != 1 || !command.assignments.empty() || command.words[0].quoted) {
        fail(pos_, "a parenthesis where none can stand");
        break;
      }
      return function(command, false);
    } else if (c == '\n' || c == ';' || c == '&' || c == '|' || c == ')') {
      break;
    } else if (!command.words.empty() || !take_assignment(command)) {
      const std::size_t before = pos_;
      command.words.push_back(word());
      if (fault) break;
      if (pos_ == before) fail(pos_, "a character that cannot stand here");
    }
    if (fault) break;
    end = pos_;
  }
  command.end = std::max(command.begin, end_place(end));
  if (!fault && end == first) fail(pos_, "a command is missing");
}

bool Reader::take_assignment(Command& command) {
  std::size_t at = pos_;
  if (at >= text_.size() || !begins_name(text_[at])) return false;
  while (at < text_.size() && continues_name(text_[at])) ++at;
  const std::size_t name_end = at;
  if (at < text_.size() && text_[at] == '[') {
    at = text_.find_first_of("] \t\n;&|<>()", at);
    if (at == std::string_view::npos || text_[at] != ']') return false;
    ++at;
  }
  const bool appends = at < text_.size() && text_[at] == '+';
  if (appends) ++at;
  if (at >= text_.size() || text_[at] != '=') return false;
  Assignment assignment{.name = std::string(text_.substr(pos_, name_end - pos_)), .appends = appends, .begin = place(pos_)};
  pos_ = at + 1;
  if (peek() == '(') {
    assignment.value.begin = place(pos_);
    assignment.elements = array_elements(assignment.value);
    assignment.value.literal = assignment.value.expansions.empty();
    assignment.value.end = end_place(pos_);
  } else {
    assignment.value = word();
  }
  assignment.end = end_place(pos_);
  command.assignments.push_back(std::move(assignment));
  return true;
}

void Reader::compound(Command& command, std::string_view word) {
  const std::size_t opened = pos_;
  if (word == "(") {
    const std::size_t end = at("((") ? arithmetic_end(pos_ + 2) : std::string_view::npos;
    if (end != std::string_view::npos) {
      command.kind = Command::Kind::arithmetic;
      Word expression{.begin = place(pos_)};
      pos_ += 2;
      expression.text = text_.substr(pos_, end - pos_);
      take_expansions_until(expression, end);
      pos_ = end + 2;
      expression.end = std::max(expression.begin, end_place(std::min(pos_, text_.size())));
      expression.literal = expression.expansions.empty();
      command.words.push_back(std::move(expression));
      return;
    }
    command.kind = Command::Kind::subshell;
    ++pos_;
    command.bodies.push_back(list());
    if (fault) return;
    if (peek() != ')') return fail(opened, "a parenthesis that is never closed");
    ++pos_;
    return;
  }
  if (word == "[[") return test(command);
  if (word == "function") return function(command, true);
  pos_ += word.size();
  if (word == "{") {
    command.kind = Command::Kind::group;
    command.bodies.push_back(list());
    (void)expect("}", "a brace group", opened);
    return;
  }
  if (word == "if") return conditional(command);
  if (word == "while" || word == "until") {
    command.keyword = word == "while" ? "while" : "until";
    return loop(command);
  }
  if (word == "case") return case_of(command);
  command.keyword = word == "for" ? "for" : "select";
  for_loop(command);
}

void Reader::conditional(Command& command) {
  const std::size_t opened = pos_ - 2;
  command.kind = Command::Kind::conditional;
  command.keyword = "if";
  do {
    command.bodies.push_back(list());
    if (!expect("then", "an if", opened)) return;
    command.bodies.push_back(list());
    if (fault) return;
  } while (take_keyword("elif"));
  if (take_keyword("else")) command.bodies.push_back(list());
  (void)expect("fi", "an if", opened);
}

void Reader::loop(Command& command) {
  const std::size_t opened = pos_ - 5;
  command.kind = Command::Kind::loop;
  command.bodies.push_back(list());
  if (!expect("do", "a loop", opened)) return;
  command.bodies.push_back(list());
  (void)expect("done", "a loop", opened);
}

void Reader::for_loop(Command& command) {
  const std::size_t opened = pos_ - command.keyword.size();
  command.kind = Command::Kind::for_loop;
  skip_blanks();
  if (at("((")) {
    const std::size_t end = arithmetic_end(pos_ + 2);
    if (end == std::string_view::npos) return fail(pos_, "a parenthesis that is never closed");
    Word expression{.text = std::string(text_.substr(pos_ + 2, end - pos_ - 2)), .begin = place(pos_)};
    pos_ += 2;
    take_expansions_until(expression, end);
    if (fault) return;
    pos_ = end + 2;
    expression.end = end_place(pos_);
    expression.literal = expression.expansions.empty();
    command.words.push_back(std::move(expression));
  } else {
    command.words.push_back(word());
    if (command.words[0].text.empty()) fail(pos_, "a loop without a variable");
    if (fault) return;
    if (take_keyword("in")) {
      for (skip_blanks(); more() && peek() != ';' && peek() != '\n'; skip_blanks()) {
        const std::size_t before = pos_;
        command.words.push_back(word());
        if (pos_ == before) fail(pos_, "a character that cannot stand in the words of a loop");
      }
    }
  }
  if (fault) return;
  skip_blanks();
  if (peek() == ';' && !at(";;")) ++pos_;
  if (!expect("do", "a loop", opened)) return;
  command.bodies.push_back(list());
  (void)expect("done", "a loop", opened);
}

void Reader::case_of(Command& command) {
  const std::size_t opened = pos_ - 4;
  command.kind = Command::Kind::case_of;
  command.keyword = "case";
  skip_blanks();
  command.words.push_back(word());
  if (!expect("in", "a case", opened)) return;
  while (!fault) {
    if (take_keyword("esac")) return;
    if (!more()) return fail(opened, "a case without its \"esac\"");
    case_arm(command);
    if (fault) return;
    skip_newlines();
    if (at(";;&"))
      pos_ += 3;
    else if (at(";;") || at(";&"))
      pos_ += 2;
    else if (keyword() != "esac")
      return fail(pos_ < text_.size() ? pos_ : opened, "a case whose branch does not end");
  }
}

void Reader::case_arm(Command& command) {
  skip_newlines();
  if (peek() == '(') ++pos_;
  while (more()) {
    skip_blanks();
    const std::size_t before = pos_;
    (void)word();
    if (fault) return;
    if (pos_ == before) return fail(pos_, "a case without a pattern");
    skip_blanks();
    if (peek() != '|') break;
    ++pos_;
  }
  if (peek() != ')') return fail(pos_, "a pattern without its \")\"");
  ++pos_;
  command.bodies.push_back(list());
}

/// At "function NAME", or at the "(" after the name.
void Reader::function(Command& command, bool with_keyword) {
  command.kind = Command::Kind::function;
  if (with_keyword) {
    command.keyword = "function";
    pos_ += command.keyword.size();
    skip_blanks();
    command.words.push_back(word());
    if (command.words[0].text.empty()) return fail(pos_, "a function without a name");
    skip_blanks();
  }
  if (peek() == '(') {
    ++pos_;
    skip_blanks();
    if (peek() != ')') return fail(pos_, "a parenthesis where none can stand");
    ++pos_;
  }
  skip_newlines();
  if (!more()) return fail(pos_, "a function without a body");
  Command body = this->command();
  command.end = body.end;
  command.bodies.push_back(list_of(std::move(body)));
}

void Reader::test(Command& command) {
  command.kind = Command::Kind::test;
  const std::size_t opened = pos_;
  pos_ += 2;
  bool regex = false;
  while (!fault) {
    do skip_blanks(false);
    while (more() && peek() == '\n' && (take_newline(), true));
    if (!more()) break;
    if (keyword() == "]]") {
      pos_ += 2;
      return;
    }
    const std::size_t begin = pos_;
    std::size_t length = at("&&") || at("||") ? 2 : std::string_view("()<>").find(peek()) != std::string_view::npos ? 1 : 0;
    if (regex && peek() == '(') length = 0;
    if (length > 0) {
      pos_ += length;
      command.words.push_back({.text = std::string(text_.substr(begin, length)), .begin = place(begin), .end = end_place(pos_)});
      regex = false;
      continue;
    }
    command.words.push_back(word(regex));
    if (pos_ == begin) fail(pos_, "a character that cannot stand in a test");
    regex = command.words.back().text == "=~" && !command.words.back().quoted;
  }
  fail(opened, "a test without its \"]]\"");
}

}  // namespace mica::lint::shell
