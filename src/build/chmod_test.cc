#include "build/chmod.h"

#include <doctest/doctest.h>

#include <string>

#include "base/format.h"

using namespace mica;
using build::Chmod;

namespace {
std::string changed(std::string_view text, std::uint32_t mode, bool folder = false) {
  const auto chmod = Chmod::parse(text);
  if (!chmod) return chmod.error().message();
  return format("{:04o}", chmod->apply(mode, folder));
}
}  // namespace

TEST_CASE("symbolic modes give what docker gives") {
  struct Row {
    const char* text;
    std::uint32_t mode;
    const char* result;
  };
  // As Docker 28.5 made them.
  static constexpr Row kRows[] = {
      {"+w", 0640, "0662"},          {"=rw", 0640, "0666"},       {"u=rwX", 0640, "0640"},   {"u=rwX", 06711, "2711"},
      {"a=X", 0640, "0000"},         {"a+X", 0640, "0640"},       {"g=u", 0640, "0660"},     {"u+x,go=u", 0640, "0777"},
      {"u+s,g+s,o+s", 0640, "6640"}, {"+t", 0640, "1640"},        {"o+t", 0640, "0640"},     {"-rwx", 0640, "0000"},
      {"ug+rw,o=", 0640, "0660"},    {"a=rwxst", 06711, "7777"},  {"a-s", 06711, "0711"},    {"u=g", 06711, "6111"},
      {"go=u-w", 06711, "6755"},     {"a=", 06711, "0000"},       {"u=rw-r", 06711, "2211"}, {"u=rX,g=X", 06711, "0511"},
      {"u+gw", 0640, "0640"},        {"=X", 06711, "0111"},       {"-w", 06711, "6511"},     {"u=s", 0640, "4040"},
      {"g=rs", 0640, "2640"},        {"+s", 0640, "6640"},        {"o=t", 0640, "0640"},     {"u=gw", 07711, "3211"},
      {"u=wg", 07711, "3111"},       {"a=", 07711, "1000"},       {"=", 07711, "1000"},      {"u+", 07711, "7711"},
      {"u=,g=", 07711, "1001"},      {"u=rw-r+x", 07711, "3311"}, {"a-t", 07711, "6711"},    {"-t", 07711, "6711"},
      {"o-t", 07711, "7711"},        {"u-t", 07711, "6711"},      {"u+X-x", 07711, "7611"},  {"g=u,o=g", 07711, "7777"},
      {"ugo+rwx", 07711, "7777"},    {"uu+r,gg+w", 0640, "0660"}, {"u+r+w-x", 0640, "0640"}, {"u==r", 0644, "0444"},
      {"++", 0644, "0644"},          {"+rt", 0640, "1640"},       {"=t", 0640, "1640"},      {"a-X", 0640, "0640"},
      {"u=t", 0640, "1040"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    CHECK(changed(row.text, row.mode) == row.result);
  }
}

TEST_CASE("X is execution for folders always") {
  CHECK(changed("a=rX", 01640, true) == "1555");
  CHECK(changed("u=rwX,go=rX", 0700, true) == "0755");
  CHECK(changed("a+rX,u+w", 0644, false) == "0644");
}

TEST_CASE("an octal number replaces the mode") {
  CHECK(changed("0640", 04755) == "0640");
  CHECK(changed("4755", 0) == "4755");
  CHECK(changed("0", 0777) == "0000");
  CHECK(changed("00000755", 0) == "0755");
}

TEST_CASE("folders made on the way take an octal mode through the umask") {
  for (const auto& [text, mode] :
       {std::pair{"1777", 0755u}, {"4755", 0755u}, {"0640", 0640u}, {"700", 0700u}, {"u=rwx", 0755u}}) {
    CAPTURE(text);
    CHECK(Chmod::parse(text)->new_folder_mode() == mode);
  }
}

TEST_CASE("bad modes are refused") {
  for (const char* text :
       {"9999", "17777", "8", "0o755", "755x", "abc", "u", "u=rw,", ",", "rw", "u+q", "+7", "u+rwx,,g+x", "u+r g+w", "-1", ""}) {
    CAPTURE(text);
    const auto chmod = Chmod::parse(text);
    REQUIRE_FALSE(chmod.has_value());
    CHECK(chmod.error().code() == Errc::invalid_argument);
  }
  CHECK(Chmod::parse("9999").error().message() ==
        "invalid chmod parameter: '9999'. it should be octal string and between 0 and 07777");
}
