#include "container/signal_names.h"

#include <signal.h>

#include "base/format.h"
#include "base/text.h"

namespace mica::container {
namespace {

struct Name {
  std::string_view text;
  int number;
};
constexpr Name kNames[] = {{"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"BUS", SIGBUS}, {"CHLD", SIGCHLD}, {"CLD", SIGCHLD}, {"CONT", SIGCONT}, {"FPE", SIGFPE}, {"HUP", SIGHUP},
                            {"ILL", SIGILL}, {"INT", SIGINT}, {"IO", SIGIO}, {"IOT", SIGIOT}, {"KILL", SIGKILL}, {"PIPE", SIGPIPE}, {"POLL", SIGPOLL}, {"PROF", SIGPROF},
                            {"PWR", SIGPWR}, {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV}, {"STKFLT", SIGSTKFLT}, {"STOP", SIGSTOP}, {"SYS", SIGSYS}, {"TERM", SIGTERM}, {"TRAP", SIGTRAP},
                            {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU}, {"URG", SIGURG}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH},
                            {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}};
// What programs in containers call them: the kernel's, not those that the C library leaves to us.
constexpr int kFirstRealTime = 34, kLastRealTime = 64;

std::optional<int> real_time(std::string_view name) {
  const bool from_last = name.starts_with("RTMAX");
  if (!from_last && !name.starts_with("RTMIN")) return std::nullopt;
  const std::string_view rest = name.substr(5);
  if (rest.empty()) return from_last ? kLastRealTime : kFirstRealTime;
  const auto offset = parse_int(rest.substr(1));
  if (rest[0] != (from_last ? '-' : '+') || !offset || *offset < 0) return std::nullopt;
  const int number = static_cast<int>(from_last ? kLastRealTime - *offset : kFirstRealTime + *offset);
  if (number < kFirstRealTime || number > kLastRealTime) return std::nullopt;
  return number;
}

}  // namespace

Result<int> parse_signal(std::string_view text) {
  if (const auto number = parse_int(text)) {
    if (*number < 1 || *number > kLastRealTime) return failf(Errc::invalid_argument, "invalid signal: {}", text);
    return static_cast<int>(*number);
  }
  const std::string upper = to_upper(text);
  const std::string_view name = std::string_view(upper).substr(upper.starts_with("SIG") ? 3 : 0);
  for (const Name& known : kNames)
    if (known.text == name) return known.number;
  if (const auto number = real_time(name)) return *number;
  return failf(Errc::invalid_argument, "invalid signal: {}", text);
}

std::string signal_name(int number) {
  for (const Name& known : kNames)
    if (known.number == number) return format("SIG{}", known.text);
  return std::to_string(number);
}

}  // namespace mica::container
