#include "sys/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"

namespace mica::sys {

namespace {
enum class Fault { none, kill, no_space };

struct Plan {
  Fault fault = Fault::none;
  std::int64_t at = 0;
  const char* count_file = nullptr;
};

/// A plan that cannot be read ends the program: a fault test that silently tests nothing would pass.
Plan read_plan() {
  Plan plan{.count_file = ::getenv("MICA_FAULT_COUNT")};
  const char* text = ::getenv("MICA_FAULT");
  if (!text || !*text) return plan;
  const auto parts = split_once(text, ':');
  const auto at = parts ? parse_int(parts->second) : std::nullopt;
  MICA_ASSERT(at && *at > 0 && (parts->first == "kill" || parts->first == "enospc"), "MICA_FAULT is kill:N or enospc:N");
  plan.fault = parts->first == "kill" ? Fault::kill : Fault::no_space;
  plan.at = *at;
  return plan;
}

std::atomic<std::int64_t> passed = 0, fallible = 0;

/// Writes the count when static objects die, which is what "at exit" means here.
struct Counted {
  Plan plan = read_plan();
  ~Counted() {
    if (!plan.count_file) return;
    const int fd = ::open(plan.count_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const std::string text = format("{}\n", passed.load());
    if (fd < 0 || ::write(fd, text.data(), text.size()) < 0) log::debug("cannot write {}", plan.count_file);
    if (fd >= 0) ::close(fd);
  }
};
const Counted counted;
}  // namespace

namespace detail {

const bool faults_armed = counted.plan.fault != Fault::none || counted.plan.count_file != nullptr;

void pass_armed_crash_point(const char* name) {
  const std::int64_t number = ++passed;
  log::debug("fault point {} {}", number, name);
  if (counted.plan.fault == Fault::kill && number == counted.plan.at) ::kill(::getpid(), SIGKILL);
}

Result<> pass_armed_fault_point(const char* name) {
  pass_armed_crash_point(name);
  const std::int64_t number = ++fallible;
  if (counted.plan.fault == Fault::no_space && number == counted.plan.at)
    return fail(Error::os(ENOSPC, format("fault point {} ({})", number, name)));
  return {};
}

}  // namespace detail
}  // namespace mica::sys
