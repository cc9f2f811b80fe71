#include <doctest/doctest.h>

#include "base/format.h"
#include "dockerfile/parser.h"

using namespace mica;
using namespace mica::dockerfile;
using Strings = std::vector<std::string>;

namespace {

/// "LINE Code: message" of each warning.
Strings warnings_of(std::string_view text) {
  Strings out;
  const auto result = parse("Dockerfile", text);
  CHECK(result.errors.empty());
  for (const Diagnostic& warning : result.file.warnings) {
    CHECK(warning.level == Diagnostic::Level::warning);
    out.push_back(format("{} {}: {}", warning.where.line, warning.code, warning.message));
  }
  return out;
}

std::string casing(int line, std::string_view keyword, std::string_view wanted) {
  return format("{} ConsistentInstructionCasing: Command '{}' should match the case of the command majority ({})", line, keyword,
                wanted);
}
std::string json(int line, std::string_view keyword) {
  return format("{} JSONArgsRecommended: JSON arguments recommended for {} to prevent unintended behavior related to OS signals",
                line, keyword);
}
std::string once(int line, std::string_view keyword) {
  return format(
      "{} MultipleInstructionsDisallowed: Multiple {} instructions should not be used in the same stage because only the last "
      "one will be used",
      line, keyword);
}
std::string relative(int line, std::string_view path) {
  return format("{} WorkdirRelativePath: Relative workdir \"{}\" can have unexpected results if the base image changes", line,
                path);
}

}  // namespace

TEST_CASE("keywords follow the majority's case, upper case when there is none") {
  CHECK(warnings_of("from a\nRUN a\nENV b=1\n") == Strings{casing(1, "from", "uppercase")});
  CHECK(warnings_of("From a\nrun a\nEnv b=1\n") == Strings{casing(1, "From", "lowercase"), casing(3, "Env", "lowercase")});
  CHECK(warnings_of("from a\nRUN a\n") == Strings{casing(1, "from", "uppercase")});
  CHECK(warnings_of("arg x\narg y\nFROM a\nRUN a\nenv b=1\n") == Strings{casing(5, "env", "uppercase")});
  CHECK(warnings_of("from a\nrun b\nonbuild RUN x\n").empty());
}

TEST_CASE("AS follows FROM, and stage names are lower case, unlike each other and not reserved") {
  CHECK(warnings_of("FROM a as X\nFROM a AS y\nFROM a aS r\n") ==
        Strings{"1 StageNameCasing: Stage name 'X' should be lowercase",
                "1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match",
                "3 FromAsCasing: 'aS' and 'FROM' keywords' casing do not match"});
  CHECK(warnings_of("from a AS z\n") == Strings{"1 FromAsCasing: 'AS' and 'from' keywords' casing do not match"});
  CHECK(warnings_of("FROM x AS a\nFROM x AS A\nFROM x AS scratch\nFROM x AS context\n") ==
        Strings{"2 DuplicateStageName: Duplicate stage name \"a\", stage names should be unique",
                "2 StageNameCasing: Stage name 'A' should be lowercase",
                "3 ReservedStageName: Stage name should not use the same name as reserved stage \"scratch\"",
                "4 ReservedStageName: Stage name should not use the same name as reserved stage \"context\""});
}

TEST_CASE("of CMD, ENTRYPOINT and HEALTHCHECK only the last counts, so the earlier are told") {
  CHECK(warnings_of("FROM a\nCMD [\"a\"]\nCMD [\"b\"]\nHEALTHCHECK NONE\nHEALTHCHECK CMD x\nUSER a\nUSER b\n") ==
        Strings{once(2, "CMD"), once(4, "HEALTHCHECK")});
  CHECK(warnings_of("FROM a\nENTRYPOINT [\"a\"]\nENTRYPOINT [\"b\"]\nENTRYPOINT [\"c\"]\n") ==
        Strings{once(2, "ENTRYPOINT"), once(3, "ENTRYPOINT")});
  CHECK(warnings_of("FROM a AS b\nCMD [\"a\"]\nFROM b\nCMD [\"c\"]\n").empty());
}

TEST_CASE("shell forms of CMD and ENTRYPOINT are told unless a SHELL was chosen") {
  CHECK(warnings_of("FROM a\nCMD a\nENTRYPOINT\n") == Strings{json(2, "CMD"), json(3, "ENTRYPOINT")});
  CHECK(warnings_of("FROM a\nSHELL [\"x\"]\nCMD a\n").empty());
  CHECK(warnings_of("FROM a\nCMD a\nSHELL [\"x\"]\nENTRYPOINT a\n") == Strings{json(2, "CMD")});
  CHECK(warnings_of("FROM a AS P\nSHELL [\"x\"]\nFROM p\nCMD a\n") ==
        Strings{"1 StageNameCasing: Stage name 'P' should be lowercase"});
}

TEST_CASE("a WORKDIR is relative only when none stands before it in the stage or its parents") {
  CHECK(warnings_of("FROM a\nWORKDIR a\nWORKDIR b\n") == Strings{relative(2, "a")});
  CHECK(warnings_of("FROM a\nWORKDIR /a\nWORKDIR b\n").empty());
  CHECK(warnings_of("FROM a AS p\nWORKDIR /a\nFROM p\nWORKDIR b\n").empty());
  CHECK(warnings_of("FROM a\nWORKDIR $x\nWORKDIR b\n").empty());
  CHECK(warnings_of("FROM a\nWORKDIR \"/a b\"\n").empty());
  CHECK(warnings_of("FROM a\nWORKDIR \"a b\"\n") == Strings{relative(2, "a b")});
}

TEST_CASE("old forms are told") {
  CHECK(warnings_of("FROM a\nENV a b\nLABEL c d\nENV g=h i=j\nONBUILD ENV a b\n") ==
        Strings{"2 LegacyKeyValueFormat: \"ENV key=value\" should be used instead of legacy \"ENV key value\" format",
                "3 LegacyKeyValueFormat: \"LABEL key=value\" should be used instead of legacy \"LABEL key value\" format"});
  CHECK(warnings_of("FROM a\nMAINTAINER x\n") ==
        Strings{"2 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label"});
  CHECK(warnings_of("FROM a\nEXPOSE 80/TCP 81/udp $p/TCP 1:2/Udp\n") ==
        Strings{"2 ExposeProtoCasing: Defined protocol '1:2/Udp' in EXPOSE instruction should be lowercase",
                "2 ExposeProtoCasing: Defined protocol '80/TCP' in EXPOSE instruction should be lowercase"});
}

TEST_CASE("an empty line in a continuation is told at the end of the instruction") {
  CHECK(warnings_of("FROM a\nRUN a \\\n\n\n b\nRUN a \\\n# c\n b\nRUN x \\\n\n") ==
        Strings{"5 NoEmptyContinuation: Empty continuation line", "10 NoEmptyContinuation: Empty continuation line"});
}

TEST_CASE("descriptions are checked only where the file asks for it") {
  const std::string body = "# foo bar\nARG x\n# y is\nARG y=1\n# gone\n#\nARG z\n# nope\nFROM a AS q\n# q something\nARG a b\n";
  CHECK(warnings_of(body).empty());
  const Strings told{"3 InvalidDefinitionDescription: Comment for ARG should follow the format: `# x <description>`",
                     "10 InvalidDefinitionDescription: Comment for FROM should follow the format: `# q <description>`",
                     "12 InvalidDefinitionDescription: Comment for ARG should follow the format: `# <arg_key> <description>`"};
  CHECK(warnings_of("# check=experimental=all\n" + body) == told);
  CHECK(warnings_of("# check=skip=X; experimental=A, InvalidDefinitionDescription\n" + body) == told);
  CHECK(warnings_of("# check=experimental=Other\n" + body).empty());
}

TEST_CASE("a frontend that is not run is told") {
  for (const char* own : {"docker/dockerfile", "docker/dockerfile:1.4-labs", "docker.io/docker/dockerfile:1@sha256:00",
                          "r:5000/m/docker/dockerfile-upstream:master", "dockerfile.v0"})
    CHECK_MESSAGE(warnings_of(format("# syntax={}\nFROM a\n", own)).empty(), own);
  CHECK(warnings_of("#!/usr/bin/x\n# syntax=some/buildpack:2 arg\nFROM a\n") ==
        Strings{"2 ForeignSyntax: the frontend \"some/buildpack:2\" is not run: the file is read as docker/dockerfile reads it"});
  CHECK(warnings_of("# syntax=notdocker/dockerfile\nFROM a\n").size() == 1);
}

TEST_CASE("warnings are bounded") {
  std::string text = "FROM a\n";
  for (std::size_t i = 0; i < 2 * kMaxWarnings; ++i) text += "MAINTAINER x\n";
  CHECK(warnings_of(text).size() == kMaxWarnings);
}
