#include "runtime/cgroups.h"

#include <doctest/doctest.h>

using namespace mica;
using runtime::CgroupLayout;
using runtime::Cgroups;

namespace {
constexpr const char* kV2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kV1 =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "37 31 0:34 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd\n";
constexpr const char* kUnified = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
constexpr const char* kOthers = "23 1 254:0 / / rw - ext4 /dev/vda rw\n24 23 0:5 / /cgroup - proc proc rw\nnonsense\n\n";

bool with(const std::string&) { return true; }
bool without(const std::string&) { return false; }
}  // namespace

TEST_CASE("the layout of control groups is read from the mount table") {
  struct Row {
    std::string mountinfo;
    bool (*controllers)(const std::string&);
    CgroupLayout layout;
    std::size_t mounts;
  };
  const std::string v1 = kV1, v2 = kV2, unified = kUnified, others = kOthers;
  for (const Row& row : {
           Row{"", without, CgroupLayout::none, 0},
           Row{others, with, CgroupLayout::none, 0},
           Row{others + v2, with, CgroupLayout::v2, 1},
           Row{others + v1, without, CgroupLayout::v1, 3},
           Row{v1 + unified, without, CgroupLayout::v1, 4},        // systemd's hybrid layout: v2 for its own bookkeeping only
           Row{v1 + unified, with, CgroupLayout::hybrid, 4},
           Row{unified + v1, with, CgroupLayout::hybrid, 4},
           Row{"37 31 0:34 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n" + unified, with, CgroupLayout::v2, 2},
       }) {
    const Cgroups got = Cgroups::parse(row.mountinfo, row.controllers);
    CAPTURE(row.mountinfo);
    CHECK(got.layout == row.layout);
    CHECK(got.mounts.size() == row.mounts);
  }
  CHECK(Cgroups::parse(kV2, with).mounts.at(0) == "/sys/fs/cgroup");
}

TEST_CASE("our own group is found where its hierarchy is mounted") {
  struct Row {
    std::string mountinfo, groups, expected;
  };
  const std::string v1 = kV1, v2 = kV2;
  for (const Row& row : {
           Row{v2, "0::/user.slice/session-1.scope\n", "/sys/fs/cgroup/user.slice/session-1.scope/cgroup.procs"},
           Row{v2, "0::/\n", "/sys/fs/cgroup/cgroup.procs"},
           Row{v1, "9:name=systemd:/\n4:memory:/jobs/7\n1:cpuacct,cpu:/a\n", "/sys/fs/cgroup/cpu,cpuacct/a/cgroup.procs"},
           Row{v1, "4:memory:/jobs/7\n0::/x\n", "/sys/fs/cgroup/memory/jobs/7/cgroup.procs"},
           // In a container whose view of the hierarchy begins at its own group:
           Row{"30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n", "0::/docker/abc/inner\n", "/sys/fs/cgroup/inner/cgroup.procs"},
           Row{"30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n", "0::/other\n", ""},
           Row{v2, "0::/../../outside\n", ""},
           Row{v2, "", ""},
           Row{"", "0::/\n", ""},
       }) {
    CAPTURE(row.groups);
    CHECK(Cgroups::find_own_processes(row.mountinfo, row.groups) == row.expected);
  }
}
