#include "dockerfile/parser.h"

#include <doctest/doctest.h>

#include "base/format.h"

using namespace mica;
using namespace mica::dockerfile;
using Strings = std::vector<std::string>;

namespace {

File parsed(std::string_view text) {
  auto result = parse("Dockerfile", text);
  for (const Diagnostic& error : result.errors) FAIL_CHECK(format("{}: {}", error.where.line, error.message));
  return std::move(result.file);
}

/// The one instruction behind "FROM scratch".
Instruction instruction(std::string_view text) {
  File file = parsed(format("FROM scratch\n{}\n", text));
  REQUIRE(file.stages.size() == 1);
  REQUIRE(file.stages[0].instructions.size() == 1);
  return std::move(file.stages[0].instructions[0]);
}

template <class T>
T only(std::string_view text) {
  const Instruction found = instruction(text);
  REQUIRE(std::holds_alternative<T>(found.command));
  return std::get<T>(found.command);
}

/// "LINE: message (suggestion)" of each error.
Strings errors_of(std::string_view text) {
  Strings out;
  for (const Diagnostic& error : parse("Dockerfile", text).errors)
    out.push_back(
        format("{}: {}{}", error.where.line, error.message, error.suggestion.empty() ? "" : " (" + error.suggestion + ")"));
  return out;
}

/// The message of the one error of an instruction behind "FROM scratch".
std::string error_of(std::string_view text) {
  const Strings errors = errors_of(format("FROM scratch\n{}\n", text));
  REQUIRE(errors.size() == 1);
  REQUIRE(errors[0].starts_with("2: "));
  return errors[0].substr(3);
}

using Pairs = std::vector<KeyValue>;

}  // namespace

TEST_CASE("continuations are joined, comments and empty lines between them dropped, blanks kept") {
  struct Row {
    std::string_view written, text;
  };
  const Row rows[] = {
      {"RUN a \\\n  b", "RUN a   b"},
      {"RUN a\\\nb", "RUN ab"},
      {"RUN a \\ \t\n b", "RUN a  b"},
      {"RUN a \\\n# c\n  # d \\\n b", "RUN a  b"},
      {"RUN a \\\n\n\n b", "RUN a  b"},
      {"RUN a\\\\", "RUN a\\\\"},
      {"RU\\\nN a", "RUN a"},
      {"\\\nRUN a", "RUN a"},
      {"  \\ \nRUN a", "RUN a"},
      {"RUN a \\\r\n b\r", "RUN a  b"},
      {"RUN a # b", "RUN a # b"},
      {"\t RUN a", "RUN a"},
      {"\u00a0RUN a\u00a0", "RUN a"},
      {"RUN a \\\n \\\n b", "RUN a   b"},
      {"RUN a \\", "RUN a"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.written);
    CHECK(instruction(row.written).text == row.text);
  }
  CHECK(errors_of("FROM scratch\nRUN a\\\v\nb") == Strings{"3: unknown instruction: b"});
  CHECK(errors_of("FROM scratch\nRUN a\\\\\\\nb") == Strings{"3: unknown instruction: b"});
}

TEST_CASE("instructions know where they and their parts stand") {
  const File file = parsed("\n# c\nFROM scratch\n  RUN --network=none a \\\n# x\n    --y b\nCOPY <<E /f\n1\nE\n");
  const auto& run = file.stages[0].instructions[0];
  CHECK(file.stages[0].where == Range{3, 1, 3});
  CHECK(run.where == Range{4, 3, 6});
  CHECK(run.text == "RUN --network=none a     --y b");
  CHECK(position(run, 0) == Range{4, 3, 4});
  CHECK(position(run, run.text.find("--y")) == Range{6, 5, 6});
  CHECK(run.flags == std::vector<Flag>{{"network", "none", {4, 7, 4}}});
  CHECK(file.stages[0].instructions[1].where == Range{7, 1, 9});
}

TEST_CASE("directives are taken before anything else and only there") {
  struct Row {
    std::string_view text;
    char escape;
    std::string_view syntax, check;
  };
  const Row rows[] = {
      {"# escape=`\nFROM a", '`', "", ""},
      {"#EsCaPe = ` \r\nFROM a", '`', "", ""},
      {"\xef\xbb\xbf# escape=`\nFROM a", '`', "", ""},
      {"  # escape=`\nFROM a", '`', "", ""},
      {"# syntax=docker/dockerfile:1 x\n# escape=`\nFROM a", '`', "docker/dockerfile:1", ""},
      {"# check=skip=A,B; error=true\nFROM a", '\\', "", "skip=A,B; error=true"},
      {"# comment\n# escape=`\nFROM a", '\\', "", ""},
      {"\n# escape=`\nFROM a", '\\', "", ""},
      {"# other=x\n# escape=`\nFROM a", '\\', "", ""},
      {"#!/bin/x\n# syntax=y\n# check=z\nFROM a", '\\', "y", "z"},
      {"#!/bin/x\n# escape=`\nFROM a", '\\', "", ""},
      {"# escape\nFROM a", '\\', "", ""},
      {"FROM \\\n# escape=`\na", '\\', "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const File file = parsed(row.text);
    CHECK(file.directives.escape == row.escape);
    CHECK(file.directives.syntax == row.syntax);
    CHECK(file.directives.check == row.check);
  }
  CHECK(errors_of("# escape=`\n# check=x\n# escape=`\nFROM a") == Strings{"1: only one escape parser directive can be used"});
  CHECK(errors_of("# escape=x\nFROM a") == Strings{"1: invalid escape token 'x' does not match ` or \\"});
  CHECK(parse("Dockerfile", "//syntax=some/frontend:2\n").file.directives.syntax == "some/frontend:2");
}

TEST_CASE("the escape directive counts for continuations and words") {
  const File file = parsed("# escape=`\nFROM a\nENV x=`\n1 y=a`  z=C:\\\n");
  CHECK(std::get<Env>(file.stages[0].instructions[0].command).pairs == Pairs{{"x", "1"}, {"y", "a` "}, {"z", "C:\\"}});
}

TEST_CASE("pairs of ENV and LABEL keep quotes and know nothing of braces") {
  CHECK(only<Env>("ENV a=1 b=\"x y\" c='x y' d=x\\ y e= f==").pairs ==
        Pairs{{"a", "1"}, {"b", "\"x y\""}, {"c", "'x y'"}, {"d", "x\\ y"}, {"e", ""}, {"f", "="}});
  CHECK(only<Env>("ENV \"a b\"=c").pairs == Pairs{{"\"a b\"", "c"}});
  CHECK(only<Env>("ENV a=b\rc=d").pairs == Pairs{{"a", "b"}, {"c", "d"}});
  CHECK(only<Env>("ENV a=\"open b=c").pairs == Pairs{{"a", "\"open b=c"}});
  CHECK(only<Env>("ENV a  b  \"c\" d").pairs == Pairs{{"a", "b  \"c\" d"}});
  CHECK(only<Env>("ENV a b=c").legacy);
  CHECK(!only<Env>("ENV a=b").legacy);
  CHECK(only<Label>("LABEL \"a\" x").pairs == Pairs{{"\"a\"", "x"}});
  CHECK(error_of("ENV A=${B:-x y}") == "Syntax error - can't find = in \"y}\". Must be of the form: name=value");
  CHECK(error_of("ENV A") == "ENV must have two arguments");
  CHECK(error_of("LABEL \"\"") == "LABEL must have two arguments");
  CHECK(error_of("ENV") == "ENV requires at least one argument");
  CHECK(error_of("ENV a=b =c") == "ENV names can not be blank");
  CHECK(error_of("LABEL --x a=b") == "unknown flag: --x");
}

TEST_CASE("ARG takes several names with or without values") {
  CHECK(only<Arg>("ARG a b=1 c=\"x y\" d=").args == Pairs{{"a", std::nullopt}, {"b", "1"}, {"c", "\"x y\""}, {"d", ""}});
  CHECK(only<Arg>("ARG --ignored a").args == Pairs{{"a", std::nullopt}});
  CHECK(error_of("ARG") == "ARG requires at least one argument");
  CHECK(error_of("ARG =x") == "ARG names can not be blank");
}

TEST_CASE("command lines are exec form when they are a JSON array of strings") {
  struct Row {
    std::string_view text;
    bool exec;
    Strings words;
  };
  const Row rows[] = {
      {R"(["a", "b c"])", true, {"a", "b c"}},
      {R"( [ "a" ] )", true, {"a"}},
      {"[]", true, {}},
      {"", false, {""}},
      {R"(["\u00e9\n\t\"\\\/\b\f\r"])", true, {"\u00e9\n\t\"\\/\b\f\r"}},
      {R"(["\ud83d\ude00\ud800x"])", true, {"\U0001f600\ufffdx"}},
      {"[\"a\xff\"]", true, {"a\ufffd"}},
      {R"(["a",])", false, {R"(["a",])"}},
      {"['a']", false, {"['a']"}},
      {R"(["a"] b)", false, {R"(["a"] b)"}},
      {R"(["a\x"])", false, {R"(["a\x"])"}},
      {"[\"a\tb\"]", false, {"[\"a\tb\"]"}},
      {R"(["a", 01])", false, {R"(["a", 01])"}},
      {R"(["a" "b"])", false, {R"(["a" "b"])"}},
      {R"([{"a":}])", false, {R"([{"a":}])"}},
      {"echo  $HOME \"x\"", false, {"echo  $HOME \"x\""}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(only<Cmd>(format("CMD {}", row.text)).command == CommandLine{row.exec, row.words, {}});
    CHECK(only<Entrypoint>(format("ENTRYPOINT {}", row.text)).command == CommandLine{row.exec, row.words, {}});
    CHECK(only<Run>(format("RUN {}", row.text)).command == CommandLine{row.exec, row.words, {}});
  }
  for (const char* array : {"[1]", "[null]", R"(["a", ["b"]])", R"([{"a": [1.5e-3, true, {}]}])", "[-0]"})
    CHECK_MESSAGE(error_of(format("CMD {}", array)) == "when using JSON array syntax, arrays must be comprised of strings only",
                  array);
  // Go's parser stops at a depth of 10,000; what it does not take is a shell line.
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(only<Cmd>("CMD " + nested(10'001)).command == CommandLine{false, {nested(10'001)}, {}});
  CHECK(error_of("CMD " + nested(10'000)) == "when using JSON array syntax, arrays must be comprised of strings only");
  CHECK(error_of("CMD --x a") == "unknown flag: --x");
}

TEST_CASE("COPY and ADD take words without quotes, or JSON") {
  CHECK(only<Copy>("COPY a 'b c' /d") == Copy{.sources = {"a", "'b", "c'"}, .destination = "/d"});
  CHECK(only<Copy>("COPY [\"a b\", \"/d\"]") == Copy{.sources = {"a b"}, .destination = "/d"});
  CHECK(only<Copy>("COPY [\"a\" /d") == Copy{.sources = {"[\"a\""}, .destination = "/d"});
  const auto copy = only<Copy>("COPY --from=x --chown=a:b --chmod=755 --link --parents=TRUE --exclude=*.o --exclude=!k a /d");
  CHECK(copy == Copy{.sources = {"a"},
                     .destination = "/d",
                     .from = "x",
                     .chown = "a:b",
                     .chmod = "755",
                     .excludes = {"*.o", "!k"},
                     .link = true,
                     .parents = true});
  CHECK(only<Copy>("ADD --unpack=false --keep-git-dir --checksum=sha256:x --link=false u /d") ==
        Copy{.add = true, .sources = {"u"}, .destination = "/d", .checksum = "sha256:x", .keep_git_dir = true, .unpack = false});
  CHECK(error_of("COPY --from=x a") ==
        "COPY requires at least two arguments, but only one was provided. Destination could not be determined");
  CHECK(error_of("ADD [\"a\"]") ==
        "ADD requires at least two arguments, but only one was provided. Destination could not be determined");
  CHECK(error_of("COPY --checksum=x a b") == "unknown flag: --checksum");
  CHECK(error_of("ADD --from=x a b") == "unknown flag: --from");
}

TEST_CASE("flags lose quotes and backslashes and end at two dashes") {
  const auto found = instruction("COPY --chm\"o\"d='7'\\55 --exclude=\"a b\" -- --x /d");
  CHECK(found.flags.size() == 2);
  CHECK(found.flags[0].value == "755");
  CHECK(found.flags[1].value == "a b");
  CHECK(std::get<Copy>(found.command).sources == Strings{"--x"});
  CHECK(only<Run>("RUN -- --x").command.words == Strings{"--x"});
  CHECK(only<Copy>("COPY --chown=\u00e9 a b").chown == "\u00e9");
  CHECK(only<Copy>("COPY --chown= a b").chown == "");
  CHECK(error_of("COPY --chown a b c") == "missing a value on flag: --chown");
  CHECK(error_of("COPY --link= a b") == "missing a value on flag: --link");
  CHECK(error_of("COPY --link=yes a b") == "expecting boolean value for flag --link, not: yes");
  CHECK(error_of("COPY --link --link a b") == "duplicate flag specified: --link");
  CHECK(error_of("COPY --chwon=a b c") == "unknown flag: --chwon (did you mean chown?)");
  CHECK(error_of("COPY --=x a b") == "unknown flag: --");
  CHECK(errors_of("FROM a\nCOPY --chwon=1 --link=x a b") ==
        Strings{"2: unknown flag: --chwon (did you mean chown?)", "2: expecting boolean value for flag --link, not: x"});
}

TEST_CASE("RUN knows its flags") {
  const auto run = only<Run>(
      "RUN --mount=type=cache,target=/a --mount=target=/b --network=none --security=insecure --device=x --device=y make");
  CHECK(run.mounts == Strings{"type=cache,target=/a", "target=/b"});
  CHECK(run.network == "none");
  CHECK(run.security == "insecure");
  CHECK(run.devices == "x y");
  CHECK(only<Run>("RUN --mount='type=tmpfs,\"target=/a,b\"' x").mounts == Strings{"type=tmpfs,\"target=/a,b\""});
  CHECK(only<Run>("RUN --mount=colour=blue x").mounts == Strings{"colour=blue"});  // only a RUN that is reached checks keys
  CHECK(error_of("RUN --network=nonee x") == "invalid network mode \"nonee\" (did you mean none?)");
  CHECK(error_of("RUN --network=NONE x").starts_with("invalid network mode \"NONE\""));
  CHECK(error_of("RUN --security=x x") == "security \"x\" is not valid");
  CHECK(error_of("RUN --mount=from=$x,target=/x x") == "'from' doesn't support variable expansion, define alias stage instead");
  CHECK(error_of("RUN --mount= x") == "failed to parse csv mounts: EOF");
}

TEST_CASE("HEALTHCHECK takes flags and a command, or NONE") {
  CHECK(only<HealthcheckSpec>(
            "HEALTHCHECK --interval=1m30s --timeout=5s --start-period=1ms --start-interval=0 --retries=3 cmd a  b") ==
        HealthcheckSpec{.command = {false, {"a  b"}, {}},
                        .interval = 90'000'000'000,
                        .timeout = 5'000'000'000,
                        .start_period = 1'000'000,
                        .retries = 3});
  CHECK(only<HealthcheckSpec>("HEALTHCHECK CMD [\"a\"]").command == CommandLine{true, {"a"}, {}});
  CHECK(only<HealthcheckSpec>("HEALTHCHECK --interval= CMD a").interval == 0);
  CHECK(only<HealthcheckSpec>("HEALTHCHECK --interval=5s none").none);
  struct Row {
    std::string_view text, message;
  };
  const Row rows[] = {{"", "HEALTHCHECK requires at least one argument"},
                      {"CMD", "Missing command after HEALTHCHECK CMD"},
                      {"CMD []", "Missing command after HEALTHCHECK CMD"},
                      {"FOO x", "Unknown type \"FOO\" in HEALTHCHECK (try CMD)"},
                      {"NONE x", "HEALTHCHECK NONE takes no arguments"},
                      {"--interval=1us CMD x", "Interval \"interval\" cannot be less than 1ms"},
                      {"--timeout=-5s CMD x", "Interval \"timeout\" cannot be less than 1ms"},
                      {"--retries=-1 CMD x", "--retries cannot be negative (-1)"},
                      {"--retries=x CMD x", "--retries must be a whole number, not \"x\""},
                      {"--retries=99999999999 CMD x", "--retries must be a whole number, not \"99999999999\""},
                      {"--intervall=3s CMD x", "unknown flag: --intervall (did you mean interval?)"}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(error_of(format("HEALTHCHECK {}", row.text)) == row.message);
  }
  CHECK(error_of("HEALTHCHECK --interval=5 CMD x").starts_with("invalid duration \"5\": the unit is missing"));
}

TEST_CASE("instructions with a single argument take the rest of the line") {
  CHECK(only<Workdir>("WORKDIR  /a b ").path == "/a b");
  CHECK(only<User>("USER a:b c").user == "a:b c");
  CHECK(only<StopSignal>("STOPSIGNAL --x SIGTERM").signal == "SIGTERM");
  CHECK(only<Maintainer>("MAINTAINER \"me\" <a@b>").name == "\"me\" <a@b>");
  for (const char* keyword : {"WORKDIR", "USER", "STOPSIGNAL", "MAINTAINER"})
    CHECK(error_of(keyword) == format("{} requires exactly one argument", keyword));
  CHECK(error_of("WORKDIR --x /a") == "unknown flag: --x");
}

TEST_CASE("EXPOSE, VOLUME and SHELL") {
  CHECK(only<Expose>("EXPOSE 90 80/udp $p 443").ports == Strings{"$p", "443", "80/udp", "90"});
  CHECK(only<Volume>("VOLUME /a /b").paths == Strings{"/a", "/b"});
  CHECK(only<Volume>("VOLUME [\"/a \", \"/b c\"]").paths == Strings{"/a", "/b c"});
  CHECK(only<Shell>("SHELL [\"a\", \"-c\"]").words == Strings{"a", "-c"});
  CHECK(error_of("EXPOSE") == "EXPOSE requires at least one argument");
  CHECK(error_of("VOLUME []") == "VOLUME requires at least one argument");
  CHECK(error_of("VOLUME [\" \"]") == "VOLUME specified can not be an empty string");
  CHECK(error_of("SHELL []") == "SHELL requires at least one argument");
  CHECK(error_of("SHELL") == "SHELL requires at least one argument");
  CHECK(error_of("SHELL bash -c") == "SHELL requires the arguments to be in JSON form (as in SHELL [\"/bin/bash\", \"-c\"])");
}

TEST_CASE("FROM takes a platform and a name") {
  const File file = parsed("# global\nARG V=1\nfrom --platform=$P base:$V As My-Stage.1_x\nRUN a\nFROM b\n");
  REQUIRE(file.global_args.size() == 1);
  CHECK(file.global_args[0].comments == Strings{"global"});
  REQUIRE(file.stages.size() == 2);
  const Stage& stage = file.stages[0];
  CHECK(stage.base == "base:$V");
  CHECK(stage.platform == "$P");
  CHECK(stage.name == "my-stage.1_x");
  CHECK(stage.name_as_written == "My-Stage.1_x");
  CHECK(stage.as_keyword == "As");
  CHECK(stage.from_keyword == "from");
  CHECK(stage.text == "from --platform=$P base:$V As My-Stage.1_x");
  CHECK(stage.instructions.size() == 1);
  CHECK(file.stages[1].name == "");
  struct Row {
    std::string_view text, message;
  };
  const Row rows[] = {
      {"FROM", "1: FROM requires either one or three arguments"},
      {"FROM a b", "1: FROM requires either one or three arguments"},
      {"FROM a is b", "1: FROM requires either one or three arguments (the second of three must be AS)"},
      {"FROM a AS 1b", "1: invalid name for build stage: \"1b\", name can't start with a number or contain symbols"},
      {"FROM a AS b/c", "1: invalid name for build stage: \"b/c\", name can't start with a number or contain symbols"},
      {"FROM --x a", "1: unknown flag: --x"}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(errors_of(row.text) == Strings{std::string(row.message)});
  }
}

TEST_CASE("here-documents are found by the words of the line") {
  struct Row {
    std::string_view line, rest;
    std::vector<Heredoc> found;
  };
  const Row rows[] = {
      {"RUN <<E", "a\nE", {{"E", "a\n"}}},
      {"RUN <<E", "E", {{"E", ""}}},
      {"RUN cat << E > f", "a\nE", {{"E", "a\n"}}},
      {"RUN 3<<E", "a\r\nE\r", {{.name = "E", .body = "a\r\n", .fd = 3}}},
      {"RUN <<-E", "\t\ta\n b\n\tE", {{.name = "E", .body = "a\n b\n", .raw = "\t\ta\n b\n", .strip_tabs = true}}},
      {"RUN <<E", "\ta\n\tE\nE \n E\nE", {{"E", "\ta\n\tE\nE \n E\n"}}},
      {"RUN <<'E'", "$a\nE", {{.name = "E", .body = "$a\n", .expand = false}}},
      {"RUN <<e\"o\"f", "a\neof", {{.name = "eof", .body = "a\n", .expand = false}}},
      {"RUN <<e\\'f", "a\ne'f", {{"e'f", "a\n"}}},
      {"RUN <<'one two'", "a\none two", {{.name = "one two", .body = "a\n", .expand = false}}},
      {"RUN <<$E <<${F}", "a\n$E\nb\n${F}", {{"$E", "a\n"}, {"${F}", "b\n"}}},
      {"RUN a <<X <<Y", "Y\nX\nX\nY", {{"X", "Y\n"}, {"Y", "X\n"}}},
      {"RUN <<E", "# comment\n\\\nFROM x\nE", {{"E", "# comment\n\\\nFROM x\n"}}},
      {"RUN << -E", "a\n-E", {{"-E", "a\n"}}},
      {"RUN a \\\n# <<Z\n <<E", "a\nE", {{"E", "a\n"}}},
      {"RUN --mount=target=/x <<E", "a\nE", {{"E", "a\n"}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(only<Run>(format("{}\n{}", row.line, row.rest)).command.heredocs == row.found);
  }
  // No here-documents: in quotes, in JSON, with a third arrow, behind an open quote or a substitution that does not exist.
  for (const char* line : {"RUN \"<<E\"", "RUN '<<E'", "RUN [\"<<E\"]", "RUN cat <<<E", "RUN echo it's <<E",
                           "RUN echo ${a^^} <<E", "RUN a<<E", "CMD <<E", "RUN $((1<<2))", "RUN <<", "RUN a <<\vE"})
    CHECK_MESSAGE(instruction(line).where.end_line == 2, line);
  CHECK(errors_of("FROM a\nRUN <<E\na\n E\n") == Strings{"2: unterminated heredoc (no line is just \"E\")"});
  CHECK(parse("f", "FROM a\nRUN <<E\na\n").errors[0].where == Range{2, 1, 3});
}

TEST_CASE("here-documents of COPY are sources under their names") {
  CHECK(only<Copy>("COPY <<a f <<-'b' /d/\n1\na\n\t$2\n\tb") ==
        Copy{.sources = {"f"},
             .heredocs = {{"a", "1\n"}, {.name = "b", .body = "$2\n", .raw = "\t$2\n", .expand = false, .strip_tabs = true}},
             .destination = "/d/"});
  CHECK(only<Copy>("ADD <<a <<a /d/\n1\na\n2\na").heredocs == std::vector<Heredoc>{{"a", "2\n"}, {"a", "2\n"}});
  // The words here are split without regard to blanks behind the arrows, while the body is there all the same.
  CHECK(only<Copy>("COPY << a /d\n1\na") == Copy{.sources = {"<<", "a"}, .destination = "/d"});
  CHECK(error_of("COPY a <<E\nx\nE") == "COPY cannot accept a heredoc as a destination");
}

TEST_CASE("a RUN hands the shell its line, its body or both") {
  struct Row {
    std::string_view text, input;
    bool script;
  };
  const Row rows[] = {{"RUN echo a \\\n b", "echo a  b", false},
                      {"RUN <<E\na $x\nE", "a $x\n", false},
                      {"RUN <<-E\n\ta\n\tE", "a\n", false},
                      {"RUN <<E\n#!/bin/a\nb\nE", "#!/bin/a\nb\n", true},
                      {"RUN <<-E\n\t#!/bin/a\nE", "#!/bin/a\n", false},
                      {"RUN << E\na\nE", "a\n", false},
                      {"RUN cat <<-A <<B > f\n\ta\n\tA\nb\nB", "cat <<-A <<B > f\n\ta\nA\nb\nB", false},
                      {"RUN <<A sh\na\nA", "<<A sh\na\nA", false},
                      {"RUN", "", false}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto run = only<Run>(row.text);
    const ShellInput input = shell_input(run.command);
    CHECK(input.text == row.input);
    CHECK((input.script != nullptr) == row.script);
  }
}

TEST_CASE("ONBUILD records its trigger as it stands") {
  CHECK(only<OnBuild>("onbuild  RUN  a \\\n  b").text == "RUN  a   b");
  CHECK(only<OnBuild>("ONBUILD COPY <<-A <<B /x/\n\ta\n\tA\nb\nB").text == "COPY <<-A <<B /x/\n\ta\nA\nb\nB");
  CHECK(only<OnBuild>("ONBUILD NOSUCH x").text == "NOSUCH x");
  CHECK(only<OnBuild>("ONBUILD COPY a").text == "COPY a");
  CHECK(instruction("ONBUILD RUN [\"<<E\"]").where.end_line == 2);
  CHECK(parsed("FROM a\nONBUILD RUN x  \nRUN y").stages[0].instructions[0].text == "ONBUILD RUN x");
  CHECK(std::get<OnBuild>(parsed("FROM a\nONBUILD RUN x  \nRUN y").stages[0].instructions[0].command).text == "RUN x  ");
  CHECK(error_of("ONBUILD") == "ONBUILD requires at least one argument");
  CHECK(error_of("onbuild onbuild x") == "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  CHECK(error_of("ONBUILD from x") == "FROM isn't allowed as an ONBUILD trigger");
  CHECK(error_of("ONBUILD MAINTAINER x") == "MAINTAINER isn't allowed as an ONBUILD trigger");
  CHECK(error_of("ONBUILD RUN [1]") == "when using JSON array syntax, arrays must be comprised of strings only");
  CHECK(error_of("ONBUILD ENV a") == "ENV must have two arguments");
}

TEST_CASE("a trigger is parsed when it fires") {
  const auto copy = parse_trigger("COPY --from=a <<E /f\nx\nE", "ONBUILD of base");
  REQUIRE(copy.has_value());
  CHECK(copy->keyword == "COPY");
  CHECK(std::get<Copy>(copy->command).heredocs == std::vector<Heredoc>{{"E", "x\n"}});
  struct Row {
    std::string_view text, message;
  };
  const Row rows[] = {{"NOSUCH x", "unknown instruction: NOSUCH"},
                      {"FROM x", "FROM isn't allowed as an ONBUILD trigger"},
                      {"ONBUILD RUN x", "ONBUILD isn't allowed as an ONBUILD trigger"},
                      {"MAINTAINER x", "MAINTAINER isn't allowed as an ONBUILD trigger"},
                      {"", "it is empty"},
                      {"RUN a\nRUN b", "onbuild trigger should be a single expression"},
                      {"ENV a", "ENV must have two arguments"},
                      {"RUN <<E\nx", "unterminated heredoc (no line is just \"E\")"}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto trigger = parse_trigger(row.text, "ONBUILD of base");
    REQUIRE(!trigger.has_value());
    CHECK(trigger.error().code() == Errc::invalid_argument);
    CHECK(trigger.error().text() == format("ONBUILD of base: {}", row.message));
  }
}

TEST_CASE("comments above an instruction go with it until an empty one") {
  const File file = parsed("# syntax=x\n# a\n#  b  \n\nFROM scratch\n# gone\n#\n  # c\nRUN \\\n# inside\n x\nRUN y\n");
  CHECK(file.stages[0].comments == Strings{"a", "b"});
  CHECK(file.stages[0].instructions[0].comments == Strings{"c"});
  CHECK(file.stages[0].instructions[1].comments.empty());
}

TEST_CASE("all errors of a file are found at once") {
  CHECK(errors_of("RUN a\nENV b=c\nFROM scratch\nCOYP a b\nenv\ncopi x y\nCOPY a\nRUN ok\nENTRYPOINT [1]\nRUN --x y\n") ==
        Strings{"1: no build stage in current context (only ARG may stand before the first FROM)",
                "4: unknown instruction: COYP (did you mean COPY?)", "5: ENV requires at least one argument",
                "6: unknown instruction: copi (did you mean copy?)",
                "7: COPY requires at least two arguments, but only one was provided. Destination could not be determined",
                "9: when using JSON array syntax, arrays must be comprised of strings only", "10: unknown flag: --x"});
  CHECK(errors_of("FROM a\nRUNN <<E\nnot an instruction\nE\nRUN b\n") ==
        Strings{"2: unknown instruction: RUNN (did you mean RUN?)"});
  CHECK(errors_of("") == Strings{"0: the Dockerfile cannot be empty"});
  CHECK(errors_of("\n\n  \n") == Strings{"3: file with no instructions"});
  CHECK(errors_of("ARG a\n") == Strings{"0: dockerfile contains no stages to build"});
  CHECK(errors_of("FROM a\n\\\n") == Strings{"2: a line continuation with no instruction"});
}

TEST_CASE("the tree keeps what could be understood beside the errors") {
  const auto result = parse("Dockerfile", "FROM a\nRUN 1\nBAD\nRUN 2\n");
  CHECK(result.errors.size() == 1);
  CHECK(result.file.stages[0].instructions.size() == 2);
}

TEST_CASE("parse_file tells the first error with its place and shows all") {
  const auto file = parse_file("app/Dockerfile", "FROM a\nCOPY --chwon=1 a b\nENV\n");
  REQUIRE(!file.has_value());
  CHECK(file.error().code() == Errc::invalid_argument);
  CHECK(file.error().text() == "app/Dockerfile:2:6: unknown flag: --chwon (did you mean chown?)");
  CHECK(file.error().full_text() ==
        "app/Dockerfile:2:6: unknown flag: --chwon (did you mean chown?)\n"
        "   1 |     FROM a\n"
        "   2 | >>> COPY --chwon=1 a b\n"
        "     |          ^\n"
        "   3 |     ENV\n"
        "app/Dockerfile:3: ENV requires at least one argument\n"
        "   1 |     FROM a\n"
        "   2 |     COPY --chwon=1 a b\n"
        "   3 | >>> ENV");
  CHECK(parse_file("f", "ARG a").error().text() == "f: dockerfile contains no stages to build");
  CHECK(parse_file("f", "FROM a").has_value());
  std::string many = "FROM a\n";
  for (int i = 0; i < 15; ++i) many += "BAD\n";
  CHECK(parse_file("f", many).error().full_text().ends_with("and 5 more errors"));
}

TEST_CASE("an excerpt shows two lines around, marks the range and cuts what is long") {
  const std::string source = "one\r\ntwo\n\tthree\x1b[31m\xff\nfour\nfive\nsix\nseven\n";
  CHECK(excerpt(source, {3, 1, 4}) ==
        "   1 |     one\n   2 |     two\n   3 | >>> \tthree.[31m\ufffd\n   4 | >>> four\n   5 |     five\n   6 |     six\n");
  CHECK(excerpt(source, {3, 3, 3}).find("     |     \t ^\n") != std::string::npos);
  CHECK(excerpt(source, {7, 1, 7}) == "   5 |     five\n   6 |     six\n   7 | >>> seven\n");
  CHECK(excerpt(source, {0, 1, 0}) == "");
  CHECK(excerpt(source, {99, 1, 99}) == "");
  CHECK(excerpt("", {1, 1, 1}) == "");
  CHECK(excerpt(std::string(100'000, 'x'), {1, 1, 1}).size() < 300);
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "x\n";
  CHECK(excerpt(lines, {1, 1, 1000}).ends_with("  12 | >>> x\n     | >>> ...\n"));
}

TEST_CASE("lines, instructions, words and errors are bounded") {
  const std::string line(kMaxLineBytes - 5, 'x');
  CHECK(errors_of("FROM a\nRUN " + line + "x\n").empty());
  CHECK(errors_of("FROM a\nRUN " + line + "xx\nBAD\n") ==
        Strings{"1: dockerfile line greater than max allowed size of 65535: line 2 has 65536 bytes"});
  CHECK(errors_of("FROM a\nCOPY <<E /x\n" + line + line + "\nE\n").front() ==
        "2: dockerfile line greater than max allowed size of 65535: line 3 has 131060 bytes");
  std::string many = "FROM a\n";
  for (std::size_t i = 0; i < 2 * kMaxErrors; ++i) many += "BAD\n";
  CHECK(errors_of(many).size() == kMaxErrors);
  std::string instructions = "FROM a\n";
  for (std::size_t i = 0; i < kMaxInstructions; ++i) instructions += "RUN\n";
  CHECK(errors_of(instructions) == Strings{format("{}: more than {} instructions", kMaxInstructions + 1, kMaxInstructions)});
  std::string words = "FROM a\nENV ";
  for (std::size_t i = 0; i <= kMaxWords; ++i) words += "a=\\\n ";
  CHECK(errors_of(words + "\n") == Strings{format("2: ENV has more than {} arguments", kMaxWords)});
  std::string flags = "FROM a\nCOPY ";
  for (std::size_t i = 0; i <= kMaxWords; ++i) flags += "--link \\\n";
  CHECK(errors_of(flags + "a b\n") == Strings{format("2: COPY has more than {} flags", kMaxWords)});
  CHECK(errors_of(std::string(kMaxFileBytes + 1, '\n')).size() == 1);
  CHECK(errors_of("FROM a\n" + std::string(5000, 'A') + "\n").front().size() < 600);
}
