#include "container/definition.h"

#include <doctest/doctest.h>

using namespace mica;
using namespace mica::container;

namespace {

/// One of everything.
Definition full() {
  Definition d;
  d.image = "app:1";
  d.hostname = "h";
  d.domainname = "d";
  d.user = "1:2";
  d.working_dir = "/w";
  d.env = {"A=b", "C="};
  d.entrypoint = {{"/bin/e"}};
  d.cmd = {{"x", "y z"}};
  d.labels = {{"k", "v"}};
  d.exposed_ports = {"80/tcp"};
  d.volumes = {"/anon"};
  d.stop_signal = "SIGINT";
  d.stop_timeout = 3;
  d.healthcheck = oci::Healthcheck{.test = {"CMD-SHELL", "true"}, .interval = 1, .timeout = 2, .start_period = 3, .start_interval = 4, .retries = 5};
  d.shell = {"/bin/sh", "-c"};
  d.tty = d.open_stdin = d.stdin_once = d.attach_stdin = d.attach_stdout = d.attach_stderr = true;
  d.network_mode = "net1";
  d.endpoints = {{.network = "net1", .aliases = {"a"}, .links = {"x:y"}, .ipv4 = "10.0.0.2", .ipv6 = "fd00::2", .mac = "02:00:00:00:00:01", .link_local_ips = {"169.254.0.1"},
                  .driver_options = {{"o", "1"}}, .gateway_priority = 7}};
  d.ports = {{.container_port = 80, .protocol = "tcp", .host_ip = "127.0.0.1", .host_port = 8080, .host_port_end = 8090}, {.container_port = 9, .protocol = "udp", .host_ip = ""}};
  d.publish_all = true;
  d.mounts = {{.type = MountRequest::Type::bind, .source = "/s", .target = "/t", .read_only = true, .create_source = true, .propagation = "rslave", .recursive = false, .text = "/s:/t:ro"},
              {.type = MountRequest::Type::volume, .source = "v", .target = "/v", .no_copy = true, .subpath = "p", .driver = "local", .driver_options = {{"type", "tmpfs"}}, .labels = {{"l", "m"}}},
              {.type = MountRequest::Type::tmpfs, .target = "/tmp", .tmpfs_bytes = 5, .tmpfs_mode = 01777, .tmpfs_options = {"noexec"}},
              {.type = MountRequest::Type::image, .source = "i:1", .target = "/i", .subpath = "q"}};
  d.volumes_from = {"other:ro"};
  d.volume_driver = "local";
  d.restart = {"on-failure", 4};
  d.auto_remove = true;
  d.container_id_file = "/c";
  d.cap_add = {"NET_ADMIN"};
  d.cap_drop = {"ALL"};
  d.group_add = {"g"};
  d.dns = {"1.1.1.1"};
  d.dns_options = {"ndots:1"};
  d.dns_search = {"s"};
  d.extra_hosts = {"a:1.2.3.4"};
  d.links = {"c:d"};
  d.security_options = {"no-new-privileges"};
  d.device_cgroup_rules = {"c 1:1 r"};
  d.devices = {{"/dev/null", "/dev/x", "r"}};
  d.cgroupns_mode = "private";
  d.ipc_mode = "host";
  d.pid_mode = "host";
  d.userns_mode = "host";
  d.uts_mode = "host";
  d.cgroup_parent = "p";
  d.runtime = "crun";
  d.privileged = d.read_only = d.init = true;
  d.shm_bytes = 4096;
  d.oom_score_adj = 5;
  d.sysctls = {{"net.x", "1"}};
  d.annotations = {{"an", "no"}};
  d.storage_options = {{"size", "1"}};
  d.ulimits = {{"nofile", 1, -1}};
  d.log_driver = "none";
  d.log_options = {{"max-size", "1m"}};
  d.limits = {.memory = 1, .memory_swap = -1, .memory_reservation = 3, .memory_swappiness = 0, .nano_cpus = 4, .cpu_shares = 5, .cpu_period = 6, .cpu_quota = 7, .cpu_rt_period = 8,
              .cpu_rt_runtime = 9, .cpuset_cpus = "0", .cpuset_mems = "0", .pids = -1, .blkio_weight = 10, .blkio_weight_device = {{"/dev/a", 1}}, .device_read_bps = {{"/dev/a", 2}},
              .device_write_bps = {{"/dev/a", 3}}, .device_read_iops = {{"/dev/a", 4}}, .device_write_iops = {{"/dev/a", 5}}, .oom_kill_disable = true};
  d.mount_points = {{.type = MountRequest::Type::volume, .name = "v", .source = "/volumes/v/_data", .target = "/v", .driver = "local", .mode = "z", .propagation = "", .read_write = false, .request = d.mounts[1]}};
  return d;
}

}  // namespace

TEST_CASE("a definition comes back from its document as it was") {
  const auto same = [](const Definition& definition) {
    const auto read = from_document(to_document(definition));
    REQUIRE(read);
    CHECK(to_document(*read) == to_document(definition));
    return *read == definition;
  };
  CHECK(same(full()));
  Definition least;
  least.runtime = "runc";
  least.ipc_mode = "private";
  least.shm_bytes = 64 << 20;
  CHECK(same(least));
  CHECK(from_document("{}").error().code() == Errc::corrupt);
  CHECK(from_document("[").error().code() == Errc::corrupt);
}

TEST_CASE("what the user left out comes from the image") {
  oci::ImageConfig image;
  image.user = "app";
  image.env = {"PATH=/bin", "A=image"};
  image.entrypoint = {{"entry"}};
  image.cmd = {{"cmd"}};
  image.labels = {{"a", "image"}, {"b", "image"}};
  image.exposed_ports = {"80/tcp", "90/udp"};
  image.volumes = {"/data"};
  image.working_dir = "/srv";
  image.stop_signal = "SIGQUIT";
  image.healthcheck = oci::Healthcheck{.test = {"CMD", "check"}, .interval = 10, .retries = 2};

  Definition all_from_image;
  REQUIRE(complete(all_from_image, image));
  CHECK(all_from_image.entrypoint == image.entrypoint);
  CHECK(all_from_image.cmd == image.cmd);
  CHECK(all_from_image.healthcheck == image.healthcheck);
  CHECK(all_from_image.user == "app");
  CHECK(all_from_image.stop_signal == "SIGQUIT");

  Definition own;
  own.env = {"A=own"};
  own.cmd = {{"mine"}};
  own.labels = {{"b", "own"}};
  own.exposed_ports = {"80/tcp"};
  own.healthcheck = oci::Healthcheck{.interval = 5};
  REQUIRE(complete(own, image));
  CHECK(own.env == std::vector<std::string>{"A=own", "PATH=/bin"});
  CHECK(own.labels == Pairs{{"a", "image"}, {"b", "own"}});
  CHECK(own.entrypoint == image.entrypoint);
  CHECK(*own.cmd == std::vector<std::string>{"mine"});
  CHECK(own.exposed_ports == std::vector<std::string>{"80/tcp", "90/udp"});
  CHECK(own.healthcheck->test == image.healthcheck->test);
  CHECK(own.healthcheck->interval == 5);
  CHECK(own.healthcheck->retries == 2);

  Definition own_entrypoint;
  own_entrypoint.entrypoint = {{"sh"}};
  REQUIRE(complete(own_entrypoint, image));
  CHECK_FALSE(own_entrypoint.cmd);   // the image's arguments are for its own entrypoint
  Definition cleared;
  cleared.entrypoint = std::vector<std::string>{};
  CHECK(complete(cleared, image).error().message() == "no command specified");
  Definition nothing;
  CHECK_FALSE(complete(nothing, oci::ImageConfig{}));
}
