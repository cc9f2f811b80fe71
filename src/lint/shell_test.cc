#include "lint/shell.h"

#include <doctest/doctest.h>

#include "base/format.h"
#include "base/text.h"

namespace mica::lint::shell {
namespace {

std::string show(const List& list);

std::string show(const Command& command) {
  using Kind = Command::Kind;
  static constexpr std::string_view kNames[] = {"",     "group", "subshell", "if",         "loop",
                                                "for",  "case",  "function", "arithmetic", "test"};
  std::string out;
  const auto add = [&](std::string_view text) {
    if (!out.empty()) out += ' ';
    out += text;
  };
  if (command.kind != Kind::simple) add(kNames[static_cast<int>(command.kind)]);
  for (const Assignment& assignment : command.assignments)
    add(assignment.name + (assignment.appends ? "+=" : "=") + assignment.value.text);
  for (const Word& word : command.words) add("[" + word.text + "]");
  for (const Redirect& redirect : command.redirects) {
    add(redirect.fd < 0 ? "" : std::to_string(redirect.fd));
    out += redirect.operation + redirect.target.text;
    if (redirect.document) out += "{" + replace_all(redirect.document->body, "\n", "\\n") + "}";
  }
  for (const List& body : command.bodies) add("{" + show(body) + "}");
  return out;
}

/// The tree in one line: [words], {bodies}, operators.
std::string show(const List& list) {
  static constexpr std::string_view kEnds[] = {"", ";", "\\n", "&"};
  std::string out;
  for (const AndOr& item : list.items) {
    for (const AndOr::Link& link : item.links) {
      if (link.kind != AndOr::Link::Kind::first) out += link.kind == AndOr::Link::Kind::and_then ? " && " : " || ";
      if (link.pipeline.negated) out += "! ";
      for (std::size_t i = 0; i < link.pipeline.commands.size(); ++i)
        out += (i > 0 ? " | " : "") + show(link.pipeline.commands[i]);
    }
    out += kEnds[static_cast<int>(item.ended)];
    if (&item != &list.items.back()) out += ' ';
  }
  return out;
}

std::string shown(std::string text) {
  const Script script = parse(std::move(text));
  const std::string tree = show(script.list);
  return script.fault ? format("{} !{}: {}", tree, script.fault->offset, script.fault->message) : tree;
}

std::vector<std::string> texts_of_commands(std::string text) {
  std::vector<std::string> found;
  const Script script = parse(std::move(text));
  each_command(script, [&](const Visit& visit) {
    const Command& command = *visit.command;
    found.push_back(format("{}{}{}{}", script.text.substr(command.begin, command.end - command.begin), visit.top_level ? " T" : "",
                           visit.conditional ? " C" : "", visit.in_substitution ? " S" : ""));
  });
  return found;
}
using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("shell text becomes a tree") {
  struct Row {
    std::string_view text, tree;
  };
  const Row rows[] = {
      {"", ""},
      {"   \t\n\n ", ""},
      {"a b", "[a] [b]"},
      {"a && b || c; d & e\nf", "[a] && [b] || [c]; [d]& [e]\\n [f]"},
      {"a &&\n\n b ||\n c", "[a] && [b] || [c]"},
      {"a | b |& c |\n d", "[a] | [b] | [c] | [d]"},
      {"! a | b", "! [a] | [b]"},
      {"! ! a", "[a]"},
      {"time a; time -p b; time -f x c", "[a]; [b]; [time] [-f] [x] [c]"},
      {"A=1 B= c", "A=1 B= [c]"},
      {"A=1\nB=$A", "A=1\\n B=${A}"},
      {"a A=1", "[a] [A=1]"},
      {"A+=x A[1]=y", "A+=x A=y"},
      {"A=(x \"y z\"\n w) b", "A=(x \"y z\"\n w) [b]"},
      {"declare -a A=(x y)", "[declare] [-a] [A=(x y)]"},
      {"'a b'\"c d\"e\\ f", "[a bc de f]"},
      {"\"a\\\"b\\n\\$\\`\\\\\"", "[a\"b\\n$`\\]"},
      {"$'a\\tb\\x41\\102\\u00e9\\'' $\"x\"", "[a\tbAB\xc3\xa9'] [x]"},
      {"a\\\nb c", "[ab] [c]"},
      {"a # b && c\nd", "[a]\\n [d]"},
      {"a#b c;#d", "[a#b] [c];"},
      {"echo $a ${b} ${c:-d} $1 $@ $# ${#e} ${!f} ${g[0]} $", "[echo] [${a}] [${b}] [${c}] [${1}] [${@}] [${#}] [${e}] [${f}] [${g}] [$]"},
      {"echo ${a:-${b}} \"${c:-it's}\" ${d#'}'}", "[echo] [${a}] [${c}] [${d}]"},
      {"echo \"${a:-\"b c\"}\"", "[echo] [${a}]"},
      {"echo $(a; b) `c d`", "[echo] [$(a; b)] [$(c d)]"},
      {"echo `a \\`b\\``", "[echo] [$(a `b`)]"},
      {"echo $((1 + (2))) $( (a) )", "[echo] [$((1 + (2)))] [$( (a) )]"},
      {"echo $((a); b)", "[echo] [$((a); b)]"},
      {"diff <(a) >(b)", "[diff] [<(a)] [>(b)]"},
      {"a > b 2>&1 < c >> d &> e >| f 3<> g", "[a] >b 2>&1 <c >>d &>e >|f 3<>g"},
      {"> a b <<< c", "[b] >a <<<c"},
      {"a2>b 2 >c", "[a2] [2] >b >c"},
      {"{ a; b; } > c", "group >c {[a]; [b];}"},
      {"(a; b) && c", "subshell {[a]; [b]} && [c]"},
      {"echo }", "[echo] [}]"},
      {"((i++)); (( a > b ))", "arithmetic [i++]; arithmetic [ a > b ]"},
      {"((a) | b)", "subshell {subshell {[a]} | [b]}"},
      {"if a; then b; elif c; then d; else e; fi", "if {[a];} {[b];} {[c];} {[d];} {[e];}"},
      {"while a\ndo b\ndone | c", "loop {[a]\\n} {[b]\\n} | [c]"},
      {"until a; do b; done", "loop {[a];} {[b];}"},
      {"for x in a b $c; do d; done", "for [x] [a] [b] [${c}] {[d];}"},
      {"for x do d; done", "for [x] {[d];}"},
      {"for x\nin a\ndo d; done", "for [x] [a] {[d];}"},
      {"for ((i = 0; i < 3; i++)); do d; done", "for [i = 0; i < 3; i++] {[d];}"},
      {"select x in a; do d; done", "for [x] [a] {[d];}"},
      {"case $x in a|b) c ;; (d) e;& *) ;; esac", "case [${x}] {[c]} {[e]} {}"},
      {"case x in\n a) b\n esac", "case [x] {[b]\\n}"},
      {"case x in esac", "case [x]"},
      {"f() { a; }; f", "function [f] {group {[a];}}; [f]"},
      {"function f { a; }", "function [f] {group {[a];}}"},
      {"f ()\n( a )", "function [f] {subshell {[a]}}"},
      {"[[ -f a && ( $b == c* || d < e ) ]] && g", "test [-f] [a] [&&] [(] [${b}] [==] [c*] [||] [d] [<] [e] [)] && [g]"},
      {"[[ $a =~ ^(b|c d)+$ ]]", "test [${a}] [=~] [^(b|c d)+$]"},
      {"[ a = b ]", "[[] [a] [=] [b] []]"},
      {"ls !(a|b) *.@(c|d)", "[ls] [!(a|b)] [*.@(c|d)]"},
      {"cat <<E > f && b\nx $y\nE\nc", "[cat] <<E{x $y\\n} >f && [b]\\n [c]"},
      {"cat <<-'E' <<\"F\"\n\tx\n\tE\ny\nF", "[cat] <<-E{x\\n} <<F{y\\n}\\n"},
      {"cat <<E\nx", "[cat] <<E{x}\\n"},
      {"a $(cat <<E\n)x\nE\n) b", "[a] [$(cat <<E\n)x\nE\n)] [b]"},
      {"a\r\nb\r\n", "[a]\\n [b]\\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(shown(std::string(row.text)) == row.tree);
  }
}

TEST_CASE("text that is no shell keeps the commands before it") {
  struct Row {
    std::string_view text, tree;
  };
  const Row rows[] = {
      {"a; b 'c", "[a]; [b] [] !5: a single quote that is never closed"},
      {"a && b \"c", "[a] && [b] [c] !7: a double quote that is never closed"},
      {"a; if b; then c", "[a]; !3: an if without its \"fi\""},
      {"a; }", "[a]; !3: \"}\" where a command is expected"},
      {"a; ; b", "[a]; !3: a command is missing"},
      {"a && && b", "[a] !5: a command is missing"},
      {"a | ", "[a] !4: a command is missing"},
      {"echo $(b", "[echo] [] !5: a substitution that is never closed"},
      {"echo `b", "[echo] [] !5: a backtick that is never closed"},
      {"echo ${b", "[echo] [] !5: a brace that is never closed"},
      {"a >", "[a] !2: a redirection to nowhere"},
      {"a b (c)", "[a] [b] !4: a parenthesis where none can stand"},
      {"a; (b", "[a]; !3: a parenthesis that is never closed"},
      {"a )", "[a] !2: \")\" where a command is expected"},
      {"while a; done", "!9: no \"do\" where a loop needs one"},
      {"case a in b) c", "case [a] {[c]} !0: a case whose branch does not end"},
      {"[[ a", "test [a] !0: a test without its \"]]\""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const std::string result = shown(std::string(row.text));
    CHECK(trim(result) == row.tree);
  }
}

TEST_CASE("every node knows its place") {
  const std::string text = "A=1 \"b c\" d\"$e\"f && g $(h `i \\`j\\``)  > k; l";
  const Script script = parse(text);
  REQUIRE_FALSE(script.fault);
  const auto part = [&](const auto& node) { return text.substr(node.begin, node.end - node.begin); };
  const AndOr& item = script.list.items.at(0);
  CHECK(part(item) == "A=1 \"b c\" d\"$e\"f && g $(h `i \\`j\\``)  > k");
  CHECK(text[item.terminator] == ';');
  const Command& first = item.links[0].pipeline.commands[0];
  CHECK(part(first) == "A=1 \"b c\" d\"$e\"f");
  CHECK(part(first.assignments[0]) == "A=1");
  CHECK(part(first.words[0]) == "\"b c\"");
  CHECK(first.words[0].quoted);
  CHECK(first.words[0].literal);
  CHECK(part(first.words[1]) == "d\"$e\"f");
  CHECK_FALSE(first.words[1].literal);
  CHECK(part(first.words[1].expansions[0]) == "$e");
  CHECK(first.words[1].expansions[0].quoted);
  CHECK(text.substr(item.links[1].operator_begin, 2) == "&&");
  CHECK(part(item.links[1].pipeline.commands[0].redirects[0]) == "> k");
  CHECK(texts_of_commands(text) ==
        Strings{"A=1 \"b c\" d\"$e\"f T", "g $(h `i \\`j\\``)  > k T", "h `i \\`j\\`` S", "i \\`j\\` S", "j S", "l T"});
}

TEST_CASE("commands that may not run are known") {
  CHECK(texts_of_commands("a || b && c") == Strings{"a T", "b T C", "c T"});
  CHECK(texts_of_commands("if a; then b; fi; for x in $(c); do d; done") == Strings{"a", "b C", "c S", "d C"});
  CHECK(texts_of_commands("{ a; } && (b) && f() { c; }") == Strings{"a", "b", "c C"});
  CHECK(texts_of_commands("cat <<E\n$(a)\nE\ncat <<'E'\n$(b)\nE") == Strings{"cat <<E T", "a S", "cat <<'E' T"});
}

TEST_CASE("the program is found behind its wrappers") {
  struct Row {
    std::string_view text, program, operands;
  };
  const Row rows[] = {
      {"apt-get -y install a b", "apt-get", "install a b"},
      {"A=1 /usr/bin/apt-get install a", "apt-get", "install a"},
      {"sudo -E apt-get install a", "apt-get", "install a"},
      {"sudo -u root -- apt-get install a", "apt-get", "install a"},
      {"sudo A=1 env -i -u B C=2 nice -n 5 apt-get install", "apt-get", "install"},
      {"timeout -k 5 30s apt-get install", "apt-get", "install"},
      {"exec a", "a", ""},
      {"command -v curl", "command", "curl"},
      {"command curl x", "curl", "x"},
      {"env", "env", ""},
      {"sudo", "sudo", ""},
      {"$X a", "", "a"},
      {"sh -c 'a b'", "sh", "a b"},
      {"a -t v b -qt w -- -c", "a", "b -c"},
      {"a --target=v b --target w", "a", "b"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Script script = parse(std::string(row.text));
    const Command& command = script.list.items.at(0).links.at(0).pipeline.commands.at(0);
    CHECK(program(command) == row.program);
    Strings found;
    for (const Word* word : operands(command, {"-t", "--target"})) found.push_back(word->text);
    CHECK(join(found, " ") == row.operands);
  }
}

TEST_CASE("flags are found alone, in clusters, and with values") {
  struct Row {
    std::string_view text, flag;
    bool has;
  };
  const Row rows[] = {{"a -y", "-y", true},         {"a -qy b", "-y", true},     {"a -oX::y=1", "-y", false},
                      {"a -oX::y=1", "-o", true},   {"a --yes", "--yes", true},  {"a --yes=1", "--yes", true},
                      {"a --yess", "--yes", false}, {"a -- -y", "-y", false},    {"sudo -y a", "-y", false},
                      {"a --y", "-y", false},       {"a -fsSL", "-L", true}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Script script = parse(std::string(row.text));
    CHECK(has_flag(script.list.items.at(0).links.at(0).pipeline.commands.at(0), row.flag) == row.has);
  }
}

TEST_CASE("words of the exec form are one command") {
  const Script script = from_words({"/bin/apt-get", "install", "a b", "$c"});
  std::vector<const Word*> found;
  each_command(script, [&](const Visit& visit) {
    CHECK(program(*visit.command) == "apt-get");
    found = operands(*visit.command);
  });
  REQUIRE(found.size() == 3);
  CHECK(found[2]->text == "$c");
  CHECK(found[2]->literal);
}

TEST_CASE("hostile text ends in a fault, not in a crash") {
  const auto repeated = [](std::string_view part, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += part;
    return text;
  };
  for (const std::string_view part : {"$(", "(", "((", "$((", "{ ", "`", "\"$(", "${a:-", "if ", "case x in a) ", "f() ", "<(", "a=(",
                                      "@(", "x @(", "[[ ( ", "while ", "<<E ", "! ", "\\`", "$'", "a |\n"}) {
    CAPTURE(part);
    CHECK(parse(repeated(part, 20'000)).list.items.size() <= 1);
  }
  CHECK(parse(repeated("a && ", 50'000) + "b").list.items.at(0).links.size() == 50'001);
  CHECK(parse(repeated("a;", 50'000)).list.items.size() == 50'000);
  CHECK(parse(repeated("cat <<E;", 5'000) + "\n" + repeated("x\n", 5'000)).list.items.size() == 5'000);
}

}  // namespace mica::lint::shell
