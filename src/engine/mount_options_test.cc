#include "engine/mount_options.h"

#include <doctest/doctest.h>

using namespace mica;
using namespace mica::engine;
using Type = container::MountRequest::Type;

TEST_CASE("-v names a folder, a volume, or neither") {
  const auto bind = parse_volume_flag("./src:/app:ro,rslave", "/home/me").value();
  CHECK(bind.type == Type::bind);
  CHECK(bind.source == "/home/me/src");
  CHECK(bind.target == "/app");
  CHECK(bind.read_only);
  CHECK(bind.create_source);
  CHECK(bind.propagation == "rslave");
  CHECK(bind.text == "/home/me/src:/app:ro,rslave");
  const auto volume = parse_volume_flag("data:/var/lib/../data:nocopy", "/").value();
  CHECK(volume.type == Type::volume);
  CHECK(volume.source == "data");
  CHECK(volume.target == "/var/data");
  CHECK(volume.no_copy);
  const auto anonymous = parse_volume_flag("/app/node_modules", "/").value();
  CHECK(anonymous.type == Type::volume);
  CHECK(anonymous.source.empty());
  for (const char* wrong : {"", ":", "a:", ":/x", "a:b:c:d", "data:relative", "data:/", "data:/x:what", "/a:/b:nocopy", "x y:/z", "data:/x:rslave"}) {
    CAPTURE(wrong);
    CHECK(parse_volume_flag(wrong, "/").error().code() == Errc::invalid_argument);
  }
}

TEST_CASE("--mount says everything by key") {
  const auto bind = parse_mount_flag("type=bind,source=x,target=/t,readonly,bind-propagation=shared,bind-nonrecursive", "/here").value();
  CHECK(bind.type == Type::bind);
  CHECK(bind.source == "/here/x");
  CHECK(bind.read_only);
  CHECK_FALSE(bind.recursive);
  CHECK_FALSE(bind.create_source);
  const auto volume = parse_mount_flag("src=vol,dst=/t,volume-nocopy,volume-opt=type=tmpfs,volume-label=a=b,volume-subpath=p", "/").value();
  CHECK(volume.type == Type::volume);
  CHECK(volume.driver_options == container::Pairs{{"type", "tmpfs"}});
  CHECK(volume.labels == container::Pairs{{"a", "b"}});
  CHECK(parse_mount_flag("type=volume,dst=/t,\"volume-opt=o=a,b\"", "/")->driver_options == container::Pairs{{"o", "a,b"}});
  const auto tmpfs = parse_mount_flag("type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770", "/").value();
  CHECK(tmpfs.tmpfs_bytes == 1 << 20);
  CHECK(*tmpfs.tmpfs_mode == 01770);
  for (const char* wrong : {"type=bind,target=/t", "type=what,target=/t", "source=vol", "type=tmpfs,source=x,target=/t", "type=bind,source=/x,target=/t,volume-nocopy", "what,target=/t", "what=1,target=/t", "target=t", ""}) {
    CAPTURE(wrong);
    CHECK(parse_mount_flag(wrong, "/").error().code() == Errc::invalid_argument);
  }
}

TEST_CASE("--tmpfs") {
  const auto mount = parse_tmpfs_flag("/t:size=1m,exec").value();
  CHECK(mount.target == "/t");
  CHECK(mount.tmpfs_options == std::vector<std::string>{"size=1m", "exec"});
  CHECK_FALSE(parse_tmpfs_flag("t"));
}
