#include "cli/args.h"

#include <doctest/doctest.h>

using namespace mica;
using namespace mica::cli;

namespace {

constexpr Flag kFlags[] = {
    {"all", 'a', "", "Show all"},
    {"filter", 'f', "filter", "Filter output"},
    {"interactive", 'i', "", "Keep STDIN open"},
    {"quiet", 'q', "", "Only show IDs"},
    {"tty", 't', "", "Allocate a pseudo-TTY"},
    {"detach", 'd', "", "Run in background", "not supported yet"},
};
Result<Args> parse(std::vector<std::string> words, bool flags_first = false) { return parse_args(kFlags, words, flags_first); }
std::string error(std::vector<std::string> words) { return parse(std::move(words)).error().message(); }

}  // namespace

TEST_CASE("values come with =, as the next word or glued to the letter") {
  CHECK(parse({"--filter=a=b", "--filter", "c", "-fd", "-f=e", "-f", "g"})->list("filter") == std::vector<std::string>{"a=b", "c", "d", "e", "g"});
}

TEST_CASE("boolean letters join and the last may take a value") {
  const auto args = *parse({"-itfx", "pos"});
  CHECK(args.flag("interactive"));
  CHECK(args.flag("tty"));
  CHECK(args.text("filter") == "x");
  CHECK(args.positionals() == std::vector<std::string>{"pos"});
}

TEST_CASE("booleans take a value only with =") {
  CHECK_FALSE(parse({"--all=false"})->flag("all"));
  CHECK_FALSE(parse({"-a=0"})->flag("all"));
  CHECK(parse({"--all", "false"})->positionals().size() == 1);
  CHECK(error({"--all=foo"}) == R"(invalid argument "foo" for "-a, --all" flag: strconv.ParseBool: parsing "foo": invalid syntax)");
}

TEST_CASE("flags stop at -- and, for run, at the first positional") {
  CHECK(parse({"--", "-q"})->positionals() == std::vector<std::string>{"-q"});
  CHECK(parse({"image", "-q"}, true)->positionals() == std::vector<std::string>{"image", "-q"});
  CHECK(parse({"image", "-q"})->flag("quiet"));
  CHECK(parse({"-"})->positionals() == std::vector<std::string>{"-"});
}

TEST_CASE("mistakes have pflag's words and a suggestion") {
  CHECK(error({"--foo"}) == "unknown flag: --foo");
  CHECK(error({"-z"}) == "unknown shorthand flag: 'z' in -z");
  CHECK(error({"--filter"}) == "flag needs an argument: --filter");
  CHECK(error({"-f"}) == "flag needs an argument: 'f' in -f");
  CHECK(parse({"--qiet"}).error().hint() == "did you mean --quiet?");
}

TEST_CASE("flags that Docker has and mica has not are refused by name") {
  CHECK(parse({"-d"}).error().code() == Errc::unsupported);
  CHECK(error({"--detach"}) == "--detach: not supported yet");
}

TEST_CASE("help aligns as Docker's") {
  CHECK(flag_help(kFlags) ==
        "  -a, --all             Show all\n"
        "  -f, --filter filter   Filter output\n"
        "  -i, --interactive     Keep STDIN open\n"
        "  -q, --quiet           Only show IDs\n"
        "  -t, --tty             Allocate a pseudo-TTY\n");
}
