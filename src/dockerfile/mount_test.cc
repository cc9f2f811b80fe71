#include <doctest/doctest.h>

#include "dockerfile/parser.h"

using namespace mica;
using namespace mica::dockerfile;

namespace {

std::string error_of(std::string_view csv, const Expander& expand = nullptr) {
  const auto mount = parse_mount(csv, expand);
  return mount ? "" : mount.error().message();
}

}  // namespace

TEST_CASE("a mount's keys and their other names are read") {
  const auto bind = parse_mount("TYPE=BIND,dst=/a,src=x/y,from=stage,rw");
  REQUIRE(bind.has_value());
  CHECK(*bind == MountSpec{.type = MountType::bind, .target = "/a", .source = "x/y", .from = "stage", .read_only = false});

  const auto cache = parse_mount("type=cache,id=go,target=/c,sharing=LOCKED,mode=0700,uid=1,gid=2,readonly=false");
  REQUIRE(cache.has_value());
  CHECK(*cache == MountSpec{.type = MountType::cache,
                            .target = "/c",
                            .id = "go",
                            .read_only = false,
                            .sharing = Sharing::locked,
                            .mode = "0700",
                            .uid = "1",
                            .gid = "2"});

  const auto secret = parse_mount("type=secret,id=s,env=TOKEN,required");
  REQUIRE(secret.has_value());
  CHECK(*secret == MountSpec{.type = MountType::secret, .id = "s", .env = "TOKEN", .required = "true"});

  CHECK(parse_mount("type=tmpfs,destination=/t,size=64m")->size == "64m");
  CHECK(parse_mount("type=ssh,required=0")->required == "0");
  CHECK(parse_mount("target=/x,ro=T")->read_only == true);
  CHECK(parse_mount("target=/x,readwrite=true")->read_only == false);
  CHECK(!parse_mount("target=/x")->read_only.has_value());
  CHECK(parse_mount("type=tmpfs,target=/x,target=/y")->target == "/y");
  CHECK(parse_mount("type=bind")->target == "");
}

TEST_CASE("a mount's fields are CSV") {
  CHECK(parse_mount(R"(type=tmpfs,"target=/a,b")")->target == "/a,b");
  CHECK(parse_mount(R"("target=/a""b",type=tmpfs)")->target == "/a\"b");
  CHECK(parse_mount("target=a=b")->target == "a=b");
  CHECK(error_of("") == "failed to parse csv mounts: EOF");
  CHECK(error_of(R"(type=bind,"source=a)") ==
        "failed to parse csv mounts: parse error on line 1, column 12: extraneous or missing \" in quoted-field");
  CHECK(error_of(R"(type=bind,so"urce=a)") ==
        "failed to parse csv mounts: parse error on line 1, column 13: bare \" in non-quoted-field");
  CHECK(error_of(R"("target=/a"x,ro)").starts_with("failed to parse csv mounts: parse error on line 1, column "));
  CHECK(error_of("type=tmpfs,target=/x,") == "invalid field '' must be a key=value pair");
}

TEST_CASE("mistakes in mounts are told in docker's words") {
  struct Row {
    std::string_view csv, message;
  };
  const Row rows[] = {
      {"foo", "invalid field 'foo' must be a key=value pair"},
      {"colour=blue", "unexpected key 'colour' in 'colour=blue'"},
      {"type=tmpfs,targte=/x", "unexpected key 'targte' in 'targte=/x' (did you mean target?)"},
      {"type=cahce", "unsupported mount type \"cahce\" (did you mean cache?)"},
      {"type=xyz", "unsupported mount type \"xyz\""},
      {"required,type=secret,id=x", "unexpected key 'required' for mount type 'bind'"},
      {"size=1m,type=tmpfs", "unexpected key 'size' for mount type 'bind'"},
      {"type=tmpfs,size=1q", "invalid value for size: 1q"},
      {"type=cache,mode=9", "invalid value 9 for mode"},
      {"type=cache,mode=", "invalid value  for mode"},
      {"type=cache,uid=-1", "invalid value -1 for uid"},
      {"type=cache,gid=4294967296", "invalid value 4294967296 for gid"},
      {"mode=7,target=/x", "mode not allowed for \"bind\" type mounts"},
      {"type=tmpfs,uid=7", "uid not allowed for \"tmpfs\" type mounts"},
      {"type=tmpfs,gid=7", "gid not allowed for \"tmpfs\" type mounts"},
      {"type=cache,sharing=lcked", "unsupported sharing value \"lcked\" (did you mean locked?)"},
      {"sharing=locked", "invalid cache sharing set for bind mount"},
      {"ro=maybe", "invalid value for ro: maybe"},
      {"type=ssh,required=maybe", "invalid value for required: maybe"},
      {"type=secret", "invalid secret mount. one of source, target required"},
      {"type=secret,id=x,from=y", "secret mount should not have a from"},
      {"type=secret,id=x,sharing=shared", "secret mount should not define sharing"},
      {"type=secret,id=x,source=y", "both source and id can't be set"},
      {"type=ssh,source=y", "ssh does not support source"},
      {"from=$x", "'from' doesn't support variable expansion, define alias stage instead"},
      {"target=/", "invalid mount target \"/\""},
      {"type=cache,target=/a/..", "invalid mount target \"/\""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.csv);
    CHECK(error_of(row.csv) == row.message);
  }
}

TEST_CASE("values are expanded one by one after the CSV is split") {
  const Expander expand = [](std::string_view value) -> Result<std::string> {
    if (value == "$T") return "tmpfs";
    if (value == "$S") return "1m,uid=0";
    if (value == "$B") return fail(Errc::invalid_argument, "B: is not set");
    return std::string(value);
  };
  CHECK(parse_mount("type=$T,target=/x", expand)->type == MountType::tmpfs);
  CHECK(error_of("type=$T,size=$S", expand) == "invalid value for size: 1m,uid=0");
  CHECK(error_of("target=$B", expand) == "B: is not set");
  CHECK(error_of("from=$T", expand) == "'from' doesn't support variable expansion, define alias stage instead");
  CHECK(parse_mount("from=x$", expand)->from == "x$");
}

TEST_CASE("values that are still variables are kept unchecked") {
  const auto mount = parse_mount("type=cache,target=$HOME/x,mode=$M,uid=$U,sharing=$S,ro=$R");
  REQUIRE(mount.has_value());
  CHECK(*mount == MountSpec{.type = MountType::cache, .target = "$HOME/x", .mode = "$M", .uid = "$U", .sharing_text = "$S"});
  CHECK(parse_mount("type=$T,from=stage,size=1,required")->from == "stage");
}
