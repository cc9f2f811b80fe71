#include <doctest/doctest.h>

#include "engine/run_container.h"

using namespace mica;
using namespace mica::engine;

TEST_CASE("volumes are absolute bind mounts with options") {
  const auto mount = *parse_volume("/tmp:/data:ro,z,rslave");
  CHECK(mount.source == "/tmp");
  CHECK(mount.destination == "/data");
  CHECK(mount.read_only);
  CHECK(mount.propagation == "rslave");
  CHECK(parse_volume("/tmp:/data")->read_only == false);
  CHECK(parse_volume("name:/data").error().code() == Errc::unsupported);
  CHECK(parse_volume("/tmp:data").error().code() == Errc::invalid_argument);
  CHECK(parse_volume("/tmp:/").error().code() == Errc::invalid_argument);
  CHECK(parse_volume("/tmp:/data:nope").error().code() == Errc::invalid_argument);
}

TEST_CASE("--mount takes bind and tmpfs and refuses a missing source") {
  const auto bind = *parse_mount_flag("type=bind,src=/tmp,dst=/data,readonly");
  CHECK(bind.source == "/tmp");
  CHECK(bind.read_only);
  const auto tmpfs = *parse_mount_flag("type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1777");
  CHECK(tmpfs.type == "tmpfs");
  CHECK(tmpfs.options == std::vector<std::string>{"size=67108864", "mode=1777"});
  CHECK(parse_mount_flag("type=bind,src=/does/not/exist,dst=/d").error().code() == Errc::invalid_argument);
  CHECK(parse_mount_flag("type=volume,src=v,dst=/d").error().code() == Errc::unsupported);
  CHECK(parse_mount_flag("type=bind,src=/tmp,dst=/d,foo=1").error().code() == Errc::invalid_argument);
}

TEST_CASE("limits read Docker's forms") {
  CHECK(*parse_cpus("1.5") == 150'000);
  CHECK_FALSE(parse_cpus("x"));
  CHECK_FALSE(parse_cpus("0"));
  const auto limit = *parse_ulimit("nofile=1024:2048");
  CHECK(limit.type == "RLIMIT_NOFILE");
  CHECK(limit.soft == 1024);
  CHECK(limit.hard == 2048);
  CHECK(parse_ulimit("core=-1")->soft == ~std::uint64_t{0});
  CHECK_FALSE(parse_ulimit("nofile=3:2"));
  CHECK_FALSE(parse_ulimit("files=3"));
}

TEST_CASE("security options are applied or refused") {
  RunContainer request;
  CHECK(apply_security_option(request, "no-new-privileges"));
  CHECK(request.no_new_privileges);
  CHECK(apply_security_option(request, "seccomp=unconfined"));
  CHECK(request.seccomp == "unconfined");
  CHECK(apply_security_option(request, "systempaths=unconfined").error().code() == Errc::unsupported);
}
