#include "lint/difference.h"

#include <doctest/doctest.h>

#include "base/format.h"

using namespace mica;
using lint::line_difference;

TEST_CASE("a difference is what diff -u shows") {
  CHECK(line_difference("f", "a\n", "a\n").empty());
  CHECK(line_difference("f", "a\nb\nc\n", "a\nx\nc\n") == "--- f\n+++ f\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
  CHECK(line_difference("f", "", "a\n") == "--- f\n+++ f\n@@ -0,0 +1 @@\n+a\n");
  CHECK(line_difference("f", "a\n", "") == "--- f\n+++ f\n@@ -1 +0,0 @@\n-a\n");
  CHECK(line_difference("f", "a\nb", "a\nb\n") == "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n");
}

TEST_CASE("changes far from each other are parts of their own") {
  std::string before, after;
  for (int i = 0; i < 30; ++i) {
    before += format("{}\n", i);
    after += i == 2 ? "two\n" : i == 25 ? "" : format("{}\n", i);
  }
  CHECK(line_difference("f", before, after) ==
        "--- f\n+++ f\n@@ -1,6 +1,6 @@\n 0\n 1\n-2\n+two\n 3\n 4\n 5\n@@ -23,7 +23,6 @@\n 22\n 23\n 24\n-25\n 26\n 27\n 28\n");
}
