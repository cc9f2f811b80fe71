#include "cli/compose_logs.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/compose_project.h"
#include "engine/container_start.h"
#include "engine/filters.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"follow", 'f', "", "Follow log output"},
    {"index", 0, "int", "index of the container if service has multiple replicas"},
    {"no-color", 0, "", "Produce monochrome output"},
    {"no-log-prefix", 0, "", "Don't print prefix in logs"},
    {"since", 0, "string", "Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or\nrelative (e.g. 42m for 42 minutes)"},
    {"tail", 'n', "string", "Number of lines to show from the end of the logs for each\ncontainer (default \"all\")"},
    {"timestamps", 't', "", "Show timestamps"},
    {"until", 0, "string", "Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z)\nor relative (e.g. 42m for 42 minutes)"},
};

constexpr const char* kColours[] = {"36", "33", "32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1"};

class Printer {
 public:
  Printer(const std::vector<compose::ProjectContainer>& containers, const std::string& project, const LogStyle& style) : style_(style) {
    for (const auto& one : containers) width_ = std::max(width_, compose::short_name(one, project).size());
  }
  std::string prefix(const std::string& name, std::size_t index) const {
    if (!style_.prefix) return {};
    std::string text = name + std::string(width_ + 2 - std::min(width_, name.size()), ' ') + "| ";
    return style_.colour ? format("\x1b[{}m{}\x1b[0m ", kColours[index % std::size(kColours)], trim_right(text, " ")) : text;
  }
  void line(const std::string& prefix, const container::LogLine& line) {
    std::string text = prefix;
    if (style_.timestamps) text += rfc3339_nanos(line.time) + " ";
    text += line.text;
    if (!text.ends_with('\n')) text += '\n';
    const std::lock_guard lock(mutex_);
    std::FILE* to = line.stream == 2 ? stderr : stdout;
    std::fwrite(text.data(), 1, text.size(), to);
    std::fflush(to);
  }
  void remark(const std::string& text) {
    const std::lock_guard lock(mutex_);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

 private:
  LogStyle style_;
  std::size_t width_ = 0;
  std::mutex mutex_;
};

Result<int> run(Context& context) {
  const Args& args = context.args;
  container::LogRequest request{.follow = args.flag("follow")};
  if (args.has("since")) request.since = TRY(engine::parse_until(args.text("since"), now()));
  if (args.has("until")) request.until = TRY(engine::parse_until(args.text("until"), now()));
  if (const auto lines = parse_int(args.text("tail", "all")); lines && *lines >= 0) request.tail = *lines;
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  auto containers = TRY(containers_of(*engine, project, args.positionals()));
  if (args.has("index")) {
    const auto index = parse_int(args.text("index"));
    std::erase_if(containers, [&](const auto& one) { return one.number != index.value_or(0); });
  }
  const std::string ansi = context.compose->text("ansi", "auto");
  const bool colour = !args.flag("no-color") && (ansi == "always" || (ansi == "auto" && ::isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR")));
  auto printed = print_logs(*engine, project.name, containers, request, {.colour = colour, .prefix = !args.flag("no-log-prefix"), .timestamps = args.flag("timestamps")}, {}, interrupt.cancel());
  if (!printed && printed.error().code() == Errc::cancelled) return 130;
  TRY(std::move(printed));
  return 0;
}

}  // namespace

Result<> print_logs(engine::Engine& engine, const std::string& project, const std::vector<compose::ProjectContainer>& containers, const container::LogRequest& request, const LogStyle& style,
                    const std::function<void(const compose::ProjectContainer&, int exit_code)>& ended, const task::Cancel& cancel) {
  Printer printer(containers, project, style);
  std::vector<Result<>> results(containers.size());
  const auto one = [&](std::size_t i) -> Result<> {
    const auto& container = containers[i];
    const std::string prefix = printer.prefix(compose::short_name(container, project), i);
    const auto definition = TRY(container::from_document(container.row.definition));
    const auto has_ended = [&] {
      const auto row = engine::find_container(engine, container.row.id);
      return !row || !engine::is_running(*row);
    };
    if (definition.log_driver != "none")
      TRY(container::read_log(engine::container_log_path(engine::container_folder(engine, container.row.id), container.row.id), request,
                              [&](const container::LogLine& line) -> Result<> {
                                printer.line(prefix, line);
                                return {};
                              },
                              has_ended, cancel.fd()));
    if (!request.follow) return {};
    const auto row = engine::find_container(engine, container.row.id);
    if (cancel.check() && row) {
      printer.remark(format("{} exited with code {}\n", compose::short_name(container, project), row->state.exit_code));
      if (ended) ended(container, row->state.exit_code);
    }
    return {};
  };
  if (!request.follow) {
    for (std::size_t i = 0; i < containers.size(); ++i) TRY(one(i));
    return {};
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < containers.size(); ++i) threads.emplace_back([&, i] { results[i] = one(i); });
  for (auto& thread : threads) thread.join();
  for (auto& result : results) TRY(std::move(result));
  return {};
}

constinit const Command kComposeLogs{.usage = "[OPTIONS] [SERVICE...]", .summary = "View output from containers", .aliases = {}, .flags = kFlags, .least = 0, .run = run};

}  // namespace mica::cli
