// Rules that look at the context: the cases know nothing of one.
#include <doctest/doctest.h>

#include "base/format.h"
#include "lint/inspection.h"
#include "lint/linter.h"
#include "lint/rule.h"

namespace mica::lint {
namespace {

/// "LINE:COLUMN RULE" of the findings of one rule, apart by blanks.
std::string found(std::string_view rule, std::string text, const Options& options) {
  const Report report = lint_text("Dockerfile", std::move(text), options);
  const LineIndex lines(report.source);
  std::string out;
  for (const Finding& finding : report.findings) {
    if (finding.rule->id != rule) continue;
    const auto place = lines.position(finding.where.begin);
    out += format("{}{}:{}", out.empty() ? "" : " ", place.line, place.column);
  }
  return out;
}

}  // namespace

TEST_CASE("a missing or empty ignore file is told of once, at the copy of everything") {
  const std::string text = "FROM a:1\nCOPY src /src\nCOPY . /app\nADD . /b\n";
  CHECK(found("missing-dockerignore", text, {}) == "");
  CHECK(found("missing-dockerignore", text, {.has_ignore_file = false}) == "3:6");
  CHECK(found("missing-dockerignore", text, {.ignore_text = " \n", .knows_context = true}) == "3:6");
  CHECK(found("missing-dockerignore", text, {.ignore_text = ".git\n", .knows_context = true}) == "");
  CHECK(found("missing-dockerignore", "FROM a:1\nCOPY src /src\n", {.has_ignore_file = false}) == "");
}

TEST_CASE("a copy of what is ignored is told of") {
  struct Row {
    std::string_view ignored, copy, found;
  };
  const Row rows[] = {{"secret\n", "COPY secret /a", "2:6"},
                      {"secret\n", "COPY a ./secret/b /c/", "2:8"},
                      {"secret\n", "COPY other /a", ""},
                      {"*\n!src\n", "COPY src /a", ""},
                      {"*\n!src/a\n", "COPY src /a", ""},
                      {"*.md\n", "COPY a.md b.md /a/", "2:6 2:11"},
                      {"*.md\n", "COPY *.md /a/", ""},
                      {"a\n", "COPY --from=x a /a", ""},
                      {"a\n", "COPY $a /a", ""},
                      {"*\n", "COPY . /a", ""},
                      {"a\n", "ONBUILD COPY a /a", "2:14"},
                      {"[\n", "COPY a /a", ""}};
  for (const Row& row : rows) {
    CAPTURE(row.copy);
    const Options options{.ignore_text = std::string(row.ignored), .knows_context = true};
    CHECK(found("CopyIgnoredFile", format("FROM a:1\n{}\n", row.copy), options) == row.found);
  }
}

}  // namespace mica::lint
