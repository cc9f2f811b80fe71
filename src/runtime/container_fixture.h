/// For tests that run real containers: a root filesystem of busybox, the machine's runtime, and how to run something in it.
#pragma once
#include <doctest/doctest.h>
#include <unistd.h>

#include <string>

#include "runtime/oci_runtime.h"
#include "sys/fd.h"

namespace mica::runtime {

/// Why containers cannot be run here; empty when they can.
inline std::string why_no_containers() {
  if (::geteuid() != 0) return "skipped: running containers needs root";
  if (!sys::find_program("busybox")) return "skipped: needs the package busybox-static";
  if (!sys::find_program("runc") && !sys::find_program("crun")) return "skipped: needs the package runc";
  return {};
}
#define MICA_NEEDS_CONTAINERS()                              \
  if (auto why = mica::runtime::why_no_containers(); !why.empty()) { \
    MESSAGE(why);                                            \
    return;                                                  \
  }

struct Ran {
  Result<sys::Exit> exit = fail(Errc::internal, "not run");
  std::string out, err;
  int status() const { return exit ? exit->status : -1; }
  std::string problem() const { return exit ? err : exit.error().text(); }
};

class Container {
 public:
  Container() : folder_(make_folder()) {
    root_ = folder_.path() + "/root";
    for (const char* name : {"bin", "dev", "etc", "proc", "root", "sys", "tmp"}) must(sys::make_directories(root_ + "/" + name));
    const std::string busybox = *sys::find_program("busybox");
    must(sys::run_and_capture({"cp", busybox, root_ + "/bin/busybox"}));
    for (const char* applet : {"sh", "cat", "chmod", "echo", "env", "grep", "hostname", "id", "ip", "ls", "mount", "ping", "pwd", "seq", "sleep", "stat", "stty",
                               "touch", "true", "tty", "wget", "nslookup"})
      must(sys::run_and_capture({"ln", "-s", "busybox", root_ + "/bin/" + applet}));
    auto found = find_runtime("", "");
    REQUIRE_MESSAGE(found, found.error().full_text());
    runtime_ = std::move(*found);
  }
  ProcessSpec spec(const std::string& script) const {
    return {.argv = {"/bin/sh", "-c", script}, .env = {"PATH=/bin"}, .rootfs = root_, .hostname = "buildkitsandbox", .lean = true};
  }
  Ran run(const ProcessSpec& spec, task::Cancel cancel = {}, int stdin_fd = -1, int terminal_fd = -1) {
    Ran ran;
    Streams streams{.stdin_fd = stdin_fd, .output = [&](int stream, std::string_view bytes) { (stream == 1 ? ran.out : ran.err) += bytes; }, .terminal_fd = terminal_fd};
    ran.exit = runtime_->run(spec, streams, temporary(), std::move(cancel));
    return ran;
  }
  Ran run(const std::string& script) { return run(spec(script)); }
  const std::string& root() const { return root_; }
  std::string temporary() const { return folder_.path(); }
  OciRuntime& runtime() { return *runtime_; }

 private:
  static sys::TempDir make_folder() {
    auto made = sys::TempDir::create("/tmp", "container-test");
    REQUIRE(made);
    return std::move(*made);
  }
  template <class T>
  static void must(const Result<T>& result) { REQUIRE_MESSAGE(result, result.error().text()); }

  sys::TempDir folder_;
  std::string root_;
  std::unique_ptr<OciRuntime> runtime_;
};

}  // namespace mica::runtime
