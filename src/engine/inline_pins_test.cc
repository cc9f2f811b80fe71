#include "engine/inline_pins.h"

#include <doctest/doctest.h>

#include "dockerfile/parser.h"

using namespace mica;

TEST_CASE("images are found where they are named, and stages are none") {
  const std::string_view text =
      "# syntax=docker/dockerfile:1\r\n"
      "ARG X=alpine:3\n"
      "FROM --platform=$BUILDPLATFORM golang:1.23 AS golang\n"
      "COPY --from=tools:1 /a /b\n"
      "RUN --mount=type=bind,from=data:2,target=/d \\\n"
      "    --mount=from=more:3,target=/m true\n"
      "FROM golang AS next\n"
      "FROM \\\n  # why\n  busybox\n"
      "COPY --from=0 / /x\n"
      "COPY --from=Next / /y\n"
      "COPY --link --from=tools:1 /a /b\n"
      "ONBUILD COPY --from=never:1 / /\n"
      "FROM $X\n"
      "FROM scratch\n";
  const auto file = dockerfile::parse_file("Dockerfile", text);
  REQUIRE_MESSAGE(file.has_value(), (file ? std::string() : file.error().full_text()));
  std::string found;
  for (const auto& word : engine::image_words(*file)) {
    found += std::to_string(word.line) + " " + word.text + (word.is_fixed ? "" : " ?") + "\n";
    if (word.is_fixed) CHECK(text.substr(word.offset, word.text.size()) == word.text);
  }
  CHECK(found == "3 golang:1.23\n4 tools:1\n5 data:2\n6 more:3\n10 busybox\n13 tools:1\n15 $X ?\n");
}
