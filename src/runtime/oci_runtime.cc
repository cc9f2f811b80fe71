#include "runtime/oci_runtime.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <cstdlib>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "json/json.h"
#include "runtime/program_runtime.h"
#include "runtime/seccomp.h"
#include "sys/userns.h"

namespace mica::runtime {

namespace {

/// The cache file: {"machine": TEXT, "x32": BOOL, "chosen": PATH, "programs": {PATH: {"identity": TEXT, "name": TEXT}}}.
/// Anything that does not fit is found out again; losing the file costs some 50 ms once.
constexpr std::string_view kCandidates[] = {"crun", "runc"};

std::string machine(const Cgroups& cgroups) {
  struct utsname name {};
  ::uname(&name);
  return format("{} {} cgroups={} writable={} rootless={}", name.release, name.version, static_cast<int>(cgroups.layout), cgroups.writable,
                sys::is_rootless());
}

std::string identity(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return format("{}:{}:{}.{}", info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

/// "runc version 1.1.5+ds1" gives "runc 1.1.5".
std::string name_of(const std::string& path) {
  std::string program = base_name(path);
  auto text = sys::run_and_capture({path, "--version"}, 64 << 10);
  if (!text) return program;
  for (std::string_view word : split_blanks(split(*text, '\n')[0])) {
    if (word.empty() || word[0] < '0' || word[0] > '9') continue;
    return program + " " + std::string(word.substr(0, word.find_first_not_of("0123456789.")));
  }
  return program;
}

class Memory {
 public:
  Memory(std::string path, const Cgroups& cgroups) : path_(std::move(path)) {
    auto text = path_.empty() ? Result<std::string>(std::string()) : sys::read_file(path_, 64 << 10);
    auto value = json::parse(text ? *text : "");
    std::string now = machine(cgroups);
    if (value && value->string_or("machine") == now) {
      value_ = std::move(*value);
      return;
    }
    value_.set("machine", now);
    value_.set("x32", kernel_has_x32());
    value_.set("programs", json::Value::object());
    changed_ = true;
  }
  bool x32() const { return value_.bool_or("x32"); }
  std::string chosen() const { return value_.string_or("chosen"); }
  void choose(const std::string& path) {
    value_.set("chosen", path);
    changed_ = true;
  }
  bool knows(const std::string& path) const { return program(path) && program(path)->string_or("identity") == identity(path); }
  std::string name(const std::string& path) {
    if (knows(path)) return program(path)->string_or("name");
    json::Value entry = json::Value::object();
    entry.set("identity", identity(path));
    const std::string found = name_of(path);
    entry.set("name", found);
    value_.find("programs")->set(path, std::move(entry));
    changed_ = true;
    return found;
  }
  void save() {
    if (!changed_ || path_.empty()) return;
    if (auto saved = sys::write_file(path_, json::write(value_), 0600); !saved) log::debug("runtime choice not kept: {}", saved.error().text());
    changed_ = false;
  }

 private:
  const json::Value* program(const std::string& path) const {
    const json::Value* all = value_.find("programs");
    return all ? all->find(path) : nullptr;
  }

  std::string path_;
  json::Value value_ = json::Value::object();
  bool changed_ = false;
};

/// Starts a command that does not exist in an empty root: a runtime that gets as far as missing it can do everything before.
Result<> try_out(OciRuntime& runtime) {
  auto folder = TRY(sys::TempDir::create("/tmp", "mica-try"));
  std::string root = folder.path() + "/root";
  TRY(sys::make_directories(root));
  ProcessSpec spec{.argv = {"/mica-tries-this-runtime"}, .rootfs = root, .network = NetworkMode::none, .lean = true};
  auto exit = runtime.run(spec, {.output = [](int, std::string_view) {}}, folder.path(), {});
  if (!exit && exit.error().exit_status() != 127) return fail(std::move(exit.error()));
  return {};
}

/// crun, also behind links of other names, where it does not work: then it is not even asked for its version.
bool refuses_groups(const std::string& path, const Cgroups& cgroups) {
  if (cgroups.layout != CgroupLayout::hybrid) return false;
  std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return base_name(path) == "crun" || (real && base_name(real.get()) == "crun");
}

Result<std::unique_ptr<OciRuntime>> named(const std::string& name, Memory& memory, const Cgroups& cgroups) {
  std::string path = name;
  if (name.find('/') == std::string::npos) {
    auto found = sys::find_program(name);
    if (!found) return fail(Error(Errc::not_found, format("OCI runtime {} is not installed", quoted(name))).with_hint(format("install it (on Debian: apt-get install {})", name)));
    path = *found;
  } else if (!sys::exists(path)) {
    return failf(Errc::not_found, "OCI runtime {} does not exist", quoted(path));
  }
  if (refuses_groups(path, cgroups))
    return fail(Error(Errc::unsupported, "crun does not work on this machine: control groups v1, and controllers in v2 beside them").with_hint("use --runtime=runc"));
  Program program{.path = path, .name = memory.name(path), .x32 = memory.x32()};
  return make_program_runtime(std::move(program), cgroups);
}

}  // namespace

Result<std::unique_ptr<OciRuntime>> find_runtime(const std::string& name, const std::string& cache_file) {
  return find_runtime(name, cache_file, Cgroups::of_this_machine());
}

Result<std::unique_ptr<OciRuntime>> find_runtime(const std::string& name, const std::string& cache_file, Cgroups cgroups) {
  Memory memory(cache_file, cgroups);
  if (!name.empty()) {
    auto runtime = TRY(named(name, memory, cgroups));
    memory.save();
    return runtime;
  }
  if (std::string chosen = memory.chosen(); !chosen.empty() && memory.knows(chosen)) return named(chosen, memory, cgroups);

  std::optional<Error> why;
  for (std::string_view candidate : kCandidates) {
    auto path = sys::find_program(candidate);
    if (!path || refuses_groups(*path, cgroups)) continue;
    auto runtime = TRY(named(*path, memory, cgroups));
    auto works = try_out(*runtime);
    if (!works) {
      log::debug("runtime refused path={} why={}", *path, works.error().text());
      why = std::move(works.error()).doing(format("trying {}", candidate));
      continue;
    }
    memory.choose(*path);
    memory.save();
    return runtime;
  }
  if (why) return fail(std::move(*why).with_code(Errc::unsupported));
  return fail(Error(Errc::not_found, "no OCI runtime is installed").with_hint("install one: apt-get install runc (or crun)"));
}

}  // namespace mica::runtime
