#include "dockerfile/parser.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/heredoc.h"
#include "dockerfile/lines.h"
#include "dockerfile/statement.h"
#include "dockerfile/unicode.h"

namespace mica::dockerfile {
namespace {

constexpr int kMaxSkippedLines = 1000;

/// Reads the bodies that the statement announces. False when one has no end.
bool read_heredocs(Statement& statement, LineReader& reader, Diagnostics& diagnostics) {
  statement.heredocs = heredocs_of(statement);
  for (Heredoc& heredoc : statement.heredocs) {
    std::string body;
    bool ended = false;
    while (!ended) {
      const auto line = reader.next_physical();
      if (!line) {
        statement.where.end_line = reader.line();
        diagnostics.error(statement.where, "unterminated heredoc", format("no line is just {}", quoted(heredoc.name)));
        return false;
      }
      ended = ends_heredoc(heredoc, *line);
      if (!ended) body += *line;
    }
    set_body(heredoc, std::move(body));
    statement.where.end_line = reader.line();
  }
  return true;
}

/// After a misspelt keyword: skips what looks like the bodies of here-documents, lest each line of them be reported.
void skip_heredocs(const Statement& statement, LineReader& reader) {
  for (const Heredoc& heredoc : find_heredocs(statement.text)) {
    const auto before = reader.mark();
    while (true) {
      const auto line = reader.next_physical();
      if (!line || reader.line() - before.line > kMaxSkippedLines) return reader.go_back(before);
      if (ends_heredoc(heredoc, *line)) break;
    }
  }
}

Instruction make_instruction(Statement& statement, std::vector<std::string> comments, Command command) {
  return {.keyword = std::move(statement.keyword),
          .keyword_as_written = std::move(statement.keyword_as_written),
          .text = std::string(trim_space(statement.text)),
          .pieces = std::move(statement.pieces),
          .flags = std::move(statement.flags),
          .comments = std::move(comments),
          .where = statement.where,
          .command = std::move(command)};
}

/// docker/dockerfile and docker/dockerfile-upstream of any registry and version are the language that is built in.
bool is_own_frontend(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.rfind('/');
  const std::size_t colon = image.find(':', slash == std::string_view::npos ? 0 : slash);
  image = image.substr(0, colon);
  for (const std::string_view own : {"docker/dockerfile", "docker/dockerfile-upstream"})
    if (image == own || (image.ends_with(own) && image[image.size() - own.size() - 1] == '/')) return true;
  return image == "dockerfile.v0";
}

class FileParser {
 public:
  FileParser(File& file, const ParseOptions& options, Diagnostics& diagnostics)
      : file_(file), options_(options), diagnostics_(diagnostics), reader_(file.source, diagnostics) {}

  void run() {
    std::size_t count = 0;
    while (!diagnostics_.full()) {
      auto line = reader_.next();
      if (!line) break;
      if (++count > kMaxInstructions) {
        diagnostics_.error(line->where(), format("more than {} instructions", kMaxInstructions));
        break;
      }
      add(std::move(*line));
    }
    file_.directives.escape = reader_.escape();
    if (options_.fragment && !seen_from_) take_in_global_args();
    if (count == 0 && diagnostics_.error_count() == 0)
      diagnostics_.error({reader_.line(), 1, reader_.line()}, "file with no instructions");
    else if (file_.stages.empty() && diagnostics_.error_count() == 0)
      diagnostics_.error({}, "dockerfile contains no stages to build");
  }

 private:
  void add(LogicalLine line) {
    Statement statement;
    const bool readable =
        read_statement(statement, std::move(line.text), std::move(line.pieces), reader_.escape(), line.where(), diagnostics_);
    if (!readable || !read_heredocs(statement, reader_, diagnostics_)) return;
    if (statement.keyword == "FROM") {
      if (auto stage = parse_from(statement, diagnostics_)) {
        stage->comments = std::move(line.comments);
        file_.stages.push_back(std::move(*stage));
      } else if (options_.fragment) {
        file_.stages.push_back({.where = statement.where, .implied = true});
      }
      seen_from_ = true;
      return;
    }
    const std::size_t errors_before = diagnostics_.error_count();
    auto command = parse_command(statement, diagnostics_);
    if (!command) {
      if (diagnostics_.error_count() > errors_before && heredocs_of(statement).empty()) skip_heredocs(statement, reader_);
      return;
    }
    if (options_.fragment && file_.stages.empty() && statement.keyword != "ARG") {
      file_.stages.push_back({.where = statement.where, .implied = true});
    } else if (!options_.fragment && !seen_from_ && statement.keyword != "ARG") {
      if (!std::exchange(told_no_stage_, true))
        diagnostics_.error(statement.where, "no build stage in current context", "only ARG may stand before the first FROM");
      return;
    }
    Instruction instruction = make_instruction(statement, std::move(line.comments), std::move(*command));
    if (file_.stages.empty() && !seen_from_)
      file_.global_args.push_back(std::move(instruction));
    else if (!file_.stages.empty())
      file_.stages.back().instructions.push_back(std::move(instruction));
  }

  /// Without a FROM they stand in the one stage that there is.
  void take_in_global_args() {
    if (file_.global_args.empty()) return;
    if (file_.stages.empty()) file_.stages.push_back({.where = file_.global_args.front().where, .implied = true});
    auto& instructions = file_.stages.front().instructions;
    instructions.insert(instructions.begin(), std::make_move_iterator(file_.global_args.begin()),
                        std::make_move_iterator(file_.global_args.end()));
    file_.global_args.clear();
  }

  File& file_;
  const ParseOptions& options_;
  Diagnostics& diagnostics_;
  LineReader reader_;
  bool seen_from_ = false, told_no_stage_ = false;
};

}  // namespace

Parsed parse(std::string name, std::string_view text, const ParseOptions& options) {
  Parsed parsed{.file = {.name = std::move(name)}};
  Diagnostics diagnostics;
  if (text.empty()) {
    diagnostics.error({}, "the Dockerfile cannot be empty");
  } else if (text.size() > kMaxFileBytes) {
    diagnostics.error({}, format("the Dockerfile has {} bytes; at most {} are read", text.size(), kMaxFileBytes));
  } else {
    parsed.file.source = text;
    Directives& directives = parsed.file.directives;
    auto syntax = find_directive(text, "syntax", "#");
    if (!syntax) syntax = find_directive(text, "syntax", "//");
    if (syntax) {
      directives.syntax = syntax->value.substr(0, syntax->value.find(' '));
      if (!is_own_frontend(directives.syntax))
        diagnostics.warning(
            "ForeignSyntax", {syntax->line, 1, syntax->line},
            format("the frontend {} is not run: the file is read as docker/dockerfile reads it", quoted(directives.syntax)));
    }
    directives.check = find_directive(text, "check", "#").value_or(FoundDirective{}).value;
    FileParser(parsed.file, options, diagnostics).run();
    add_warnings(parsed.file, diagnostics);
  }
  parsed.errors = diagnostics.take_errors();
  parsed.file.warnings = diagnostics.take_warnings();
  return parsed;
}

Result<Instruction> parse_trigger(std::string_view text, std::string origin) {
  File file{.name = origin, .source = std::string(text)};
  Diagnostics diagnostics;
  LineReader reader(file.source, diagnostics);
  const auto refuse = [&](std::string message) {
    return fail(Error(Errc::invalid_argument, std::move(message)).doing(std::move(origin)));
  };
  const auto refuse_first = [&] {
    const auto errors = diagnostics.take_errors();
    return refuse(errors.empty() ? "it is empty" : text_of(errors.front()));
  };
  auto line = reader.next();
  if (!line) return refuse_first();
  Statement statement;
  if (!read_statement(statement, std::move(line->text), std::move(line->pieces), reader.escape(), line->where(), diagnostics) ||
      !read_heredocs(statement, reader, diagnostics))
    return refuse_first();
  if (statement.keyword == "FROM" || statement.keyword == "ONBUILD" || statement.keyword == "MAINTAINER")
    return refuse(statement.keyword + " isn't allowed as an ONBUILD trigger");
  auto command = parse_command(statement, diagnostics);
  if (!command) return refuse_first();
  if (reader.next()) return refuse("onbuild trigger should be a single expression");
  return make_instruction(statement, std::move(line->comments), std::move(*command));
}

namespace {

Range place_within(const std::vector<TextPiece>& pieces, std::size_t offset) {
  Range place = place_of(pieces, offset);
  place.end_line = place.line;
  return place;
}

}  // namespace

Range position(const Instruction& instruction, std::size_t offset) { return place_within(instruction.pieces, offset); }
Range position(const Stage& stage, std::size_t offset) { return place_within(stage.pieces, offset); }

}  // namespace mica::dockerfile
