#include "engine/container_processes.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "engine/containers.h"
#include "sys/process.h"

namespace mica::engine {
namespace {

constexpr std::size_t kMaxLink = 256, kMaxStatBytes = 4096;

std::string pid_namespace(const std::string& pid) {
  char target[kMaxLink];
  const ssize_t n = ::readlink(format("/proc/{}/ns/pid", pid).c_str(), target, sizeof target);
  return n > 0 ? std::string(target, static_cast<std::size_t>(n)) : "";
}

int parent_of(int pid) {
  const std::string stat = sys::read_file(format("/proc/{}/stat", pid), kMaxStatBytes).value_or("");
  const auto end = stat.rfind(')');   // the name before it may hold anything
  if (end == stat.npos) return 0;
  const auto fields = split_blanks(std::string_view(stat).substr(end + 1));
  return fields.size() > 1 ? static_cast<int>(parse_int(fields[1]).value_or(0)) : 0;
}

std::vector<int> all_pids() {
  std::vector<int> out;
  DIR* directory = ::opendir("/proc");
  if (!directory) return out;
  while (const auto* entry = ::readdir(directory))
    if (const auto pid = parse_int(entry->d_name)) out.push_back(static_cast<int>(*pid));
  ::closedir(directory);
  std::ranges::sort(out);
  return out;
}

/// The first process and what came from it: for containers that share a namespace with others.
std::vector<int> descendants(int first) {
  std::map<int, bool> ours{{first, true}};
  const auto all = all_pids();
  const auto is_ours = [&](int pid) {
    std::vector<int> chain;
    bool found = false;
    for (int at = pid; at > 1 && !found; at = parent_of(at)) {
      if (const auto known = ours.find(at); known != ours.end()) {
        found = known->second;
        break;
      }
      chain.push_back(at);
    }
    for (const int one : chain) ours[one] = found;
    return found;
  };
  std::vector<int> out;
  for (const int pid : all)
    if (pid == first || is_ours(pid)) out.push_back(pid);
  return out;
}

}  // namespace

Result<std::vector<int>> container_pids(Engine& engine, std::string_view name) {
  const auto row = TRY(find_container(engine, name));
  if (!is_running(row) || row.state.pid == 0) return failf(Errc::conflict, "container {} is not running", row.id);
  const auto definition = TRY(container::from_document(row.definition));
  if (!definition.pid_mode.empty()) return descendants(row.state.pid);
  const std::string own = pid_namespace(std::to_string(row.state.pid));
  std::vector<int> out;
  for (const int pid : all_pids())
    if (pid == row.state.pid || (!own.empty() && pid_namespace(std::to_string(pid)) == own)) out.push_back(pid);
  return out;
}

Result<Processes> container_top(Engine& engine, std::string_view name, const std::vector<std::string>& arguments) {
  const auto pids = TRY(container_pids(engine, name));
  if (!sys::find_program("ps")) return fail(Error(Errc::unsupported, "ps is not installed").with_hint("install it (on Debian: apt-get install procps)"));
  std::vector<std::string> argv{"ps"};
  if (arguments.empty()) argv.emplace_back("-ef");
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto said = sys::run_and_capture(argv);
  if (!said) return fail(std::move(said).error().with_code(Errc::invalid_argument));
  const auto lines = split(*said, '\n');
  if (lines.empty()) return fail(Errc::unavailable, "ps said nothing");
  Processes out;
  for (const auto word : split_blanks(lines[0])) out.titles.emplace_back(word);
  const auto column = std::ranges::find(out.titles, "PID");
  if (column == out.titles.end()) return fail(Errc::invalid_argument, "Couldn't find PID field in ps output");
  const auto index = static_cast<std::size_t>(column - out.titles.begin());
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto words = split_blanks(lines[i]);
    if (words.size() <= index) continue;
    const auto pid = parse_int(words[index]);
    if (!pid || !std::ranges::binary_search(pids, static_cast<int>(*pid))) continue;
    std::vector<std::string> fields;
    for (const auto word : words) {
      if (fields.size() < out.titles.size()) fields.emplace_back(word);
      else fields.back() += " " + std::string(word);
    }
    out.rows.push_back(std::move(fields));
  }
  return out;
}

}  // namespace mica::engine
