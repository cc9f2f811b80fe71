#include "lint/pragmas.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "lint/rule.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

constexpr std::string_view kBlanks = " \t";
constexpr int kMaxSuggestions = 100;   // each compares a name with all that there are

/// Ids of scanners whose comments are honoured, and the rules here that look for the same.
struct Foreign {
  std::string_view id, rules;
};
constexpr auto kForeign = std::to_array<Foreign>({
    {"CKV_DOCKER_1", "ssh-port"},
    {"CKV_DOCKER_2", "DL3057"},
    {"CKV_DOCKER_3", "no-user DL3002"},
    {"CKV_DOCKER_4", "DL3020"},
    {"CKV_DOCKER_5", "update-alone"},
    {"CKV_DOCKER_6", "DL4000"},
    {"CKV_DOCKER_7", "DL3007 DL3006"},
    {"CKV_DOCKER_8", "DL3002"},
    {"CKV_DOCKER_9", "DL3027"},
    {"CKV_DOCKER_10", "DL3000"},
    {"CKV_DOCKER_11", "DL3024"},
    {"CKV2_DOCKER_1", "DL3004"},
    {"DS-0001", "DL3007 DL3006"},
    {"DS-0002", "no-user DL3002"},
    {"DS-0004", "ssh-port"},
    {"DS-0005", "DL3020"},
    {"DS-0006", "DL3023"},
    {"DS-0007", "DL4004"},
    {"DS-0008", "DL3011"},
    {"DS-0009", "DL3000"},
    {"DS-0010", "DL3004"},
    {"DS-0011", "DL3021"},
    {"DS-0012", "DL3024"},
    {"DS-0013", "DL3003"},
    {"DS-0014", "DL4001"},
    {"DS-0015", "DL3032"},
    {"DS-0016", "DL4003"},
    {"DS-0017", "update-alone"},
    {"DS-0019", "DL3040"},
    {"DS-0020", "DL3036"},
    {"DS-0021", "DL3014"},
    {"DS-0022", "DL4000"},
    {"DS-0023", "DL3012"},
    {"DS-0025", "DL3019"},
    {"DS-0026", "DL3057"},
    {"DS-0029", "DL3015"},
    {"DS-0031", "DL3064"},
    {"missing-user", "no-user DL3002"},
    {"missing-user-entrypoint", "no-user DL3002"},
    {"last-user-is-root", "DL3002"},
    {"missing-image-version", "DL3006"},
    {"avoid-latest-version", "DL3007"},
    {"prefer-copy-over-add", "DL3020"},
    {"use-absolute-workdir", "DL3000"},
    {"use-workdir", "DL3003"},
    {"no-sudo-in-dockerfile", "DL3004"},
    {"missing-apk-no-cache", "DL3019"},
    {"missing-assume-yes-switch", "DL3014"},
    {"missing-no-install-recommends", "DL3015"},
    {"missing-pip-no-cache-dir", "DL3042"},
    {"multiple-cmd-instructions", "DL4003"},
    {"multiple-entrypoint-instructions", "DL4004"},
    {"alias-must-be-unique", "DL3024"},
    {"invalid-port", "DL3011"},
    {"avoid-platform-with-from", "DL3029"},
    {"copy-from-own-alias", "DL3023"},
});

std::vector<const Rule*> rules_called(std::string_view name) {
  if (const auto named = rules_named(name); !named.empty()) return {named.begin(), named.end()};
  if (name.starts_with("AVD-")) name.remove_prefix(4);
  std::vector<const Rule*> found;
  for (const Foreign& one : kForeign)
    if (equals_ignoring_case(one.id, name))
      for (const std::string_view id : split_blanks(one.rules))
        if (const Rule* rule = find_rule(id)) found.push_back(rule);
  return found;
}

bool is_shellcheck_id(std::string_view name) {
  return name.size() > 2 && name.starts_with("SC") && parse_int(name.substr(2)).has_value();
}

/// What hadolint's reader of names takes.
bool is_hadolint_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of("DLSC0123456789") == std::string_view::npos;
}

/// Reads a comment from its start.
class Reader {
 public:
  Reader(std::string_view text, std::size_t at) : text_(text), at_(at) {}

  std::size_t at() const { return at_; }
  bool done() const { return rest().empty(); }
  std::string_view rest() const { return text_.substr(std::min(at_, text_.size())); }
  void skip_blanks() {
    while (!rest().empty() && kBlanks.find(rest()[0]) != kBlanks.npos) ++at_;
  }
  /// The word must be over after it.
  bool take_word(std::string_view word) {
    if (!rest().starts_with(word)) return false;
    const std::string_view after = rest().substr(word.size());
    if (!after.empty() && kBlanks.find(after[0]) == kBlanks.npos && after[0] != '=') return false;
    at_ += word.size();
    skip_blanks();
    return true;
  }
  bool take(std::string_view text) {
    if (!rest().starts_with(text)) return false;
    at_ += text.size();
    return true;
  }
  std::string_view take_until(std::string_view ends) {
    const std::string_view taken = rest().substr(0, std::min(rest().find_first_of(ends), rest().size()));
    at_ += taken.size();
    return taken;
  }

 private:
  std::string_view text_;
  std::size_t at_;
};

/// Where a comment stands among the instructions.
struct Surroundings {
  struct Entry {
    int line = 0, last_line = 0, end_line = 0;   // last_line: of its own text, without here-documents
    bool from = false;
  };
  std::vector<Entry> entries;

  explicit Surroundings(const df::File& file) {
    const auto add = [&](const df::Instruction& instruction) {
      const int last = instruction.pieces.empty() ? instruction.where.line : instruction.pieces.back().line;
      entries.push_back({instruction.where.line, last, std::max(last, instruction.where.end_line), false});
    };
    for (const df::Instruction& instruction : file.global_args) add(instruction);
    for (const df::Stage& stage : file.stages) {
      const int end = std::max(stage.where.line, stage.where.end_line);
      if (!stage.implied) entries.push_back({stage.where.line, end, end, true});
      for (const df::Instruction& instruction : stage.instructions) add(instruction);
    }
  }
  /// The one that begins before `line` and may reach over it.
  const Entry* before(int line) const {
    const auto after = std::ranges::upper_bound(entries, line, {}, &Entry::line);
    return after == entries.begin() ? nullptr : &*std::prev(after);
  }
  const Entry* next(int line) const {
    const auto after = std::ranges::upper_bound(entries, line, {}, &Entry::line);
    return after == entries.end() ? nullptr : &*after;
  }
  bool in_heredoc(int line) const {
    const Entry* entry = before(line);
    return entry && line > entry->last_line && line <= entry->end_line;
  }
  bool in_instruction(int line) const {
    const Entry* entry = before(line);
    return entry && line > entry->line && line <= entry->last_line;
  }
};

class Finder {
 public:
  Finder(const df::File& file, const LineIndex& lines, std::string_view today)
      : source_(file.source), file_(file), lines_(lines), today_(today), around_(file) {}

  Pragmas run() {
    take_directive();
    for (int line = 1; line <= lines_.count(); ++line) {
      const Span place = lines_.line(line);
      const std::string_view text = std::string_view(source_).substr(0, place.end);
      const std::size_t hash = text.find_first_not_of(" \t\v\f", place.begin);
      if (hash == text.npos || text[hash] != '#') continue;
      if (around_.in_heredoc(line)) continue;
      const std::string_view comment = trim(text.substr(hash + 1));
      if (comment.empty()) {
        // An empty comment cuts off those above it.
        std::erase_if(found_.pragmas, [&](const Pragma& p) {
          return p.family == Pragma::Family::buildkit && !p.directive && p.first > line && p.line < line;
        });
        continue;
      }
      line_ = line;
      hash_ = hash;
      reader_ = Reader(text, hash + 1);
      reader_.skip_blanks();
      read();
    }
    return std::move(found_);
  }

 private:
  void read() {
    if (reader_.take_word("hadolint")) return hadolint();
    if (reader_.take_word("tally")) return tally();
    if (reader_.take_word("mica")) return own();
    if (reader_.take("checkov:skip=")) return checkov();
    if (reader_.take("trivy:ignore:")) return trivy();
    if (reader_.take("nosemgrep")) return semgrep();
    if (reader_.take("dockerfile-utils:")) return whole("dockerfile-utils: ignore", "ignore");
    if (reader_.take("kics-scan")) return whole("kics-scan ignore-line", "ignore-line");
    if (equals_ignoring_case(reader_.rest().substr(0, 5), "check")) return buildkit();
  }

  Pragma make(Pragma::Family family, std::string title) const {
    return {.family = family, .where = {hash_, lines_.line(line_).end}, .line = line_, .title = std::move(title)};
  }
  void keep(Pragma pragma) { found_.pragmas.push_back(std::move(pragma)); }

  void name(Pragma& pragma, std::string_view text, std::size_t begin) {
    const std::size_t left = text.size() - trim_left(text).size();
    const std::string_view word = trim(text);
    if (word.empty()) return;
    begin += left;
    std::string_view id = word;
    if (pragma.family == Pragma::Family::tally || pragma.family == Pragma::Family::mica) {
      const std::size_t slash = word.rfind('/');
      if (slash != word.npos) id = word.substr(slash + 1);
    }
    Pragma::Name entry{.text = std::string(word), .where = {begin, begin + word.size()}, .rules = rules_called(id)};
    const bool ours = pragma.family == Pragma::Family::hadolint || pragma.family == Pragma::Family::buildkit ||
                      pragma.family == Pragma::Family::mica || word.starts_with("hadolint/") || word.starts_with("buildkit/");
    entry.outside = (entry.rules.empty() && !ours) || is_shellcheck_id(id);
    if (pragma.family == Pragma::Family::hadolint && entry.rules.empty() && !is_hadolint_name(id)) pragma.is_void = true;
    pragma.names.push_back(std::move(entry));
  }
  /// Names up to one of `ends`; commas between them.
  void names(Pragma& pragma, std::string_view ends) {
    const std::string stops = "," + std::string(ends);
    while (true) {
      const std::size_t begin = reader_.at();
      name(pragma, reader_.take_until(stops), begin);
      if (!reader_.take(",")) break;
      reader_.skip_blanks();
    }
  }

  void cover_file(Pragma& pragma) const { pragma.first = 0, pragma.last = lines_.count() + 1; }
  void cover_next(Pragma& pragma) const {
    if (around_.in_instruction(line_)) {
      pragma.physical = next_text_line();
      return;
    }
    if (const auto* entry = around_.next(line_)) pragma.first = pragma.last = entry->line;
  }
  /// Between the lines of an instruction: the next one that is no comment.
  int next_text_line() const {
    for (int line = line_ + 1; line <= lines_.count(); ++line) {
      const Span place = lines_.line(line);
      const std::string_view text = trim(std::string_view(source_).substr(place.begin, place.end - place.begin));
      if (!text.empty() && !text.starts_with('#')) return line;
    }
    return 0;
  }
  /// From the line after FROM to the one before the next FROM.
  void cover_stage(Pragma& pragma) const {
    const auto* entry = around_.next(line_);
    if (!entry || !entry->from || entry->line != line_ + 1) {
      pragma.fault = "it does not stand directly above a FROM";
      return;
    }
    pragma.first = entry->line + 1;
    pragma.last = lines_.count();
    for (const auto& other : around_.entries)
      if (other.from && other.line > entry->line) {
        pragma.last = other.line - 1;
        break;
      }
  }

  void hadolint() {
    if (reader_.take_word("shell")) {
      if (!reader_.take("=")) return;
      reader_.skip_blanks();
      const std::string shell(reader_.take_until(" \t"));
      if (!shell.empty()) found_.shells.push_back({line_, shell});
      return;
    }
    const bool global = reader_.take_word("global"), stage = !global && reader_.take_word("stage");
    if (!reader_.take_word("ignore") || !reader_.take("=")) return;
    Pragma pragma = make(Pragma::Family::hadolint, global  ? "hadolint global ignore"
                                                   : stage ? "hadolint stage ignore"
                                                           : "hadolint ignore");
    names(pragma, "#");
    if (reader_.take("#")) pragma.reason = trim(reader_.rest());
    if (global)
      cover_file(pragma);
    else if (stage)
      cover_stage(pragma);
    else if (around_.in_instruction(line_))
      cover_next(pragma);
    else
      pragma.first = pragma.last = line_ + 1;
    keep(std::move(pragma));
  }

  void tally() {
    const bool global = reader_.take_word("global");
    if (!reader_.take_word("ignore") || !reader_.take("=")) return;
    Pragma pragma = make(Pragma::Family::tally, global ? "tally global ignore" : "tally ignore");
    names(pragma, ";#");
    if (reader_.take(";")) {
      reader_.skip_blanks();
      if (reader_.take("reason=")) pragma.reason = trim(reader_.rest());
    }
    if (global)
      cover_file(pragma);
    else
      cover_next(pragma);
    keep(std::move(pragma));
  }

  void own() {
    const bool global = reader_.take_word("global"), stage = !global && reader_.take_word("stage");
    if (!reader_.take_word("ignore") || !reader_.take("=")) return;
    reader_.skip_blanks();
    Pragma pragma = make(Pragma::Family::mica, "mica ignore");
    names(pragma, " \t#");
    while (true) {
      reader_.skip_blanks();
      if (reader_.done() || reader_.take("#")) break;
      const std::string_view key = reader_.take_until("= \t");
      if (!reader_.take("=")) {
        pragma.fault = format("{} is neither reason=\"...\" nor until=YYYY-MM-DD", quoted(key));
        break;
      }
      std::string value;
      if (reader_.take("\"")) {
        value = reader_.take_until("\"");
        if (!reader_.take("\"")) pragma.fault = "the quote of the reason is not closed";
      } else {
        value = reader_.take_until(" \t");
      }
      if (key == "reason") {
        pragma.reason = value;
      } else if (key == "until") {
        if (!is_date(value)) pragma.fault = format("until={} is no date of the form YYYY-MM-DD", value);
        pragma.until = value;
      } else {
        pragma.fault = format("unknown key {}: there are reason and until", quoted(key));
      }
    }
    pragma.expired = !pragma.until.empty() && pragma.fault.empty() && !today_.empty() && pragma.until < today_;
    if (global)
      cover_file(pragma);
    else if (stage)
      cover_stage(pragma);
    else
      cover_next(pragma);
    keep(std::move(pragma));
  }
  static bool is_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
    const auto month = parse_int(text.substr(5, 2)), day = parse_int(text.substr(8, 2));
    return parse_int(text.substr(0, 4)) && month && *month >= 1 && *month <= 12 && day && *day >= 1 && *day <= 31;
  }

  void checkov() {
    Pragma pragma = make(Pragma::Family::checkov, "checkov:skip");
    names(pragma, ": \t");
    if (reader_.take(":")) pragma.reason = trim(reader_.rest());
    cover_file(pragma);
    keep(std::move(pragma));
  }
  void trivy() {
    Pragma pragma = make(Pragma::Family::trivy, "trivy:ignore");
    names(pragma, " \t[:");
    cover_next(pragma);
    keep(std::move(pragma));
  }
  void semgrep() {
    Pragma pragma = make(Pragma::Family::semgrep, "nosemgrep");
    if (reader_.take(":")) {
      reader_.skip_blanks();
      while (true) {
        const std::size_t begin = reader_.at();
        const std::string_view id = reader_.take_until(", \t");
        // "dockerfile.security.missing-user.missing-user": the last part names it.
        const std::size_t dot = id.rfind('.');
        const std::size_t skip = dot == id.npos ? 0 : dot + 1;
        name(pragma, id.substr(skip), begin + skip);
        reader_.skip_blanks();
        if (!reader_.take(",")) break;
        reader_.skip_blanks();
      }
    } else if (reader_.done() || reader_.rest().starts_with(' ')) {
      pragma.all = true;
    } else {
      return;
    }
    cover_next(pragma);
    keep(std::move(pragma));
  }
  /// Whatever is found on the next instruction.
  void whole(std::string title, std::string_view word) {
    reader_.skip_blanks();
    if (trim(reader_.rest()) != word) return;
    Pragma pragma = make(Pragma::Family::utils, std::move(title));
    pragma.all = true;
    cover_next(pragma);
    keep(std::move(pragma));
  }

  /// "check = skip=A,B;error=true": names in `pragma`. `to_blank`: above an instruction the value ends at the first blank.
  bool read_check(Pragma& pragma, bool to_blank) {
    reader_.take_until("= \t");
    reader_.skip_blanks();
    if (!reader_.take("=")) return false;
    reader_.skip_blanks();
    const std::string ends = to_blank ? "; \t" : ";";
    while (!reader_.done()) {
      const std::string_view key = trim(reader_.take_until("=" + ends));
      if (!reader_.take("=")) break;
      if (key == "skip") {
        names(pragma, ends);
        for (const Pragma::Name& one : pragma.names) pragma.every_buildkit_rule |= one.text == "all";
        std::erase_if(pragma.names, [](const Pragma::Name& one) { return one.text == "all"; });
      } else {
        reader_.take_until(ends);
      }
      if (!reader_.take(";")) break;
    }
    return !pragma.names.empty() || pragma.every_buildkit_rule;
  }
  void buildkit() {
    if (line_ == directive_line_) return;
    Pragma pragma = make(Pragma::Family::buildkit, "check=skip");
    if (!read_check(pragma, true)) return;
    const auto* entry = around_.next(line_);
    if (!entry || around_.in_instruction(line_)) return;
    pragma.first = pragma.last = entry->line;
    keep(std::move(pragma));
  }
  void take_directive() {
    if (file_.directives.check.empty()) return;
    for (int line = 1; line <= lines_.count(); ++line) {
      const Span place = lines_.line(line);
      const std::string_view text = std::string_view(source_).substr(0, place.end);
      const std::size_t hash = text.find('#', place.begin);
      if (hash == text.npos) continue;
      line_ = line;
      hash_ = hash;
      reader_ = Reader(text, hash + 1);
      reader_.skip_blanks();
      if (!equals_ignoring_case(reader_.rest().substr(0, 5), "check")) continue;
      Pragma pragma = make(Pragma::Family::buildkit, "check=skip");
      pragma.directive = true;
      directive_line_ = line;
      if (!read_check(pragma, false)) return;
      cover_file(pragma);
      return keep(std::move(pragma));
    }
  }

  const std::string& source_;
  const df::File& file_;
  const LineIndex& lines_;
  const std::string_view today_;
  Surroundings around_;
  Pragmas found_;
  Reader reader_{"", 0};
  int line_ = 0, directive_line_ = 0;
  std::size_t hash_ = 0;
};

bool covers(const Pragma& pragma, int instruction_line, int physical_line) {
  if (pragma.physical > 0) return physical_line == pragma.physical;
  return instruction_line >= pragma.first && instruction_line <= pragma.last && pragma.last > 0;
}

const std::vector<std::string_view>& all_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Rule* rule : rules()) {
      all.push_back(rule->id);
      for (const std::string_view alias : split_blanks(rule->aliases)) all.push_back(alias);
    }
    return all;
  }();
  return names;
}

std::string hidden_by(const Pragma& pragma) {
  return pragma.reason.empty() ? pragma.title : format("{}: {}", pragma.title, pragma.reason);
}

/// The comment's line with its end; of a pragma with other names that are of use, only the name and its comma.
Fix removal(const Pragma& pragma, std::size_t index, const Inspection& inspection) {
  const std::string& source = inspection.source;
  if (pragma.names.size() <= 1) {
    Span where = {inspection.lines.offset(pragma.line, 1), inspection.lines.line(pragma.line).end};
    where.end = std::min(source.find('\n', where.end), source.size() - 1) + 1;
    return {FixKind::safe, "remove the comment", {{where, ""}}};
  }
  Span where = pragma.names[index].where;
  if (index + 1 < pragma.names.size())
    where.end = pragma.names[index + 1].where.begin;
  else
    where.begin = pragma.names[index - 1].where.end;
  return {FixKind::safe, format("remove {}", pragma.names[index].text), {{where, ""}}};
}

}  // namespace

Pragmas find_pragmas(const df::File& file, const LineIndex& lines, std::string_view today) {
  if (file.source.find('#') == std::string::npos) return {};
  return Finder(file, lines, today).run();
}

void apply_pragmas(std::vector<Pragma>& pragmas, const LineIndex& lines, std::vector<Finding>& findings) {
  if (pragmas.empty()) return;
  for (Finding& finding : findings) {
    const int physical = lines.position(finding.where.begin).line;
    for (Pragma& pragma : pragmas) {
      if (pragma.expired || pragma.is_void || !covers(pragma, finding.instruction_line, physical)) continue;
      bool hides = pragma.all || (pragma.every_buildkit_rule && is_build_check(*finding.rule));
      for (Pragma::Name& name : pragma.names) {
        const bool named = std::ranges::find(name.rules, finding.rule) != name.rules.end() || name.text == finding.rule->id;
        name.used |= named;
        hides |= named;
      }
      if (hides && finding.suppressed_by.empty()) finding.suppressed_by = hidden_by(pragma);
    }
  }
}

void check_pragmas(const std::vector<Pragma>& pragmas, Inspection& inspection, bool (*looked_for)(const Rule&, const Options&)) {
  static const Rule& unused = rule_of("unused-pragma");
  static const Rule& unknown = rule_of("unknown-pragma-rule");
  static const Rule& malformed = rule_of("malformed-pragma");
  static const Rule& expired = rule_of("expired-pragma");
  static const Rule& forbidden = rule_of("DL1001");
  int suggestions = 0;
  for (const Pragma& pragma : pragmas) {
    inspection.report(forbidden, pragma.where, pragma.line, "findings are not to be hidden by comments in the file");
    if (!pragma.fault.empty()) inspection.report(malformed, pragma.where, pragma.line, pragma.fault);
    if (pragma.expired)
      inspection.report(expired, pragma.where, pragma.line, format("this was to be hidden until {} only", pragma.until));
    for (std::size_t i = 0; i < pragma.names.size(); ++i) {
      const Pragma::Name& name = pragma.names[i];
      if (name.outside) continue;
      if (name.rules.empty()) {
        std::string message = format("no rule is called {}", quoted(name.text));
        if (++suggestions <= kMaxSuggestions)
          if (const auto near = closest(name.text, all_names())) message += format(" (did you mean {}?)", *near);
        if (pragma.is_void) message += "; hadolint reads nothing of such a comment, so it hides nothing";
        inspection.report(unknown, name.where, pragma.line, std::move(message));
        continue;
      }
      const bool own_words = pragma.family == Pragma::Family::hadolint || pragma.family == Pragma::Family::buildkit ||
                             pragma.family == Pragma::Family::tally || pragma.family == Pragma::Family::mica;
      if (!own_words || name.used || pragma.expired || pragma.is_void || !pragma.fault.empty()) continue;
      const bool looked = std::ranges::any_of(name.rules, [&](const Rule* rule) { return looked_for(*rule, inspection.options); });
      if (!looked) continue;
      std::optional<Fix> fix;
      if (!pragma.directive) fix = removal(pragma, i, inspection);
      inspection.report(unused, name.where, pragma.line, format("{} is not found where this would hide it", name.text), std::move(fix));
    }
  }
}

}  // namespace mica::lint
