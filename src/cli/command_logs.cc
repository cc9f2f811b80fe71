#include <unistd.h>

#include <cstdio>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "container/log_file.h"
#include "engine/container_start.h"
#include "engine/containers.h"
#include "engine/filters.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"details", 0, "", "Show extra details provided to logs"},
    {"follow", 'f', "", "Follow log output"},
    {"since", 0, "string", "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\")\nor relative (e.g. \"42m\" for 42 minutes)"},
    {"tail", 'n', "string", "Number of lines to show from the end of the logs\n(default \"all\")"},
    {"timestamps", 't', "", "Show timestamps"},
    {"until", 0, "string", "Show logs before a timestamp (e.g. \"2013-01-02T13:23:37Z\")\nor relative (e.g. \"42m\" for 42 minutes)"},
};

Result<container::LogRequest> request_from(const Args& args) {
  container::LogRequest request{.follow = args.flag("follow")};
  if (args.has("since")) request.since = TRY(engine::parse_until(args.text("since"), now()));
  if (args.has("until")) request.until = TRY(engine::parse_until(args.text("until"), now()));
  const std::string tail = args.text("tail", "all");
  // What is no number shows everything, as with Docker.
  if (const auto lines = parse_int(tail); lines && *lines >= 0) request.tail = *lines;
  return request;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const auto request = TRY(request_from(args));
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto row = TRY(engine::find_container(*engine, args.positional(0)));
  const auto definition = TRY(container::from_document(row.definition));
  if (definition.log_driver == "none") return fail(Errc::unsupported, "configured logging driver does not support reading");
  const bool times = args.flag("timestamps"), details = args.flag("details");
  const auto ended = [&] {
    const auto now_there = engine::find_container(*engine, row.id);
    return !now_there || !engine::is_running(*now_there);
  };
  auto read = container::read_log(engine::container_log_path(engine::container_folder(*engine, row.id), row.id), request,
                                  [&](const container::LogLine& line) -> Result<> {
                                    std::string text;
                                    if (times) text += rfc3339_nanos(line.time) + " ";
                                    if (details) text += line.attributes + " ";
                                    text += line.text;
                                    std::FILE* to = line.stream == 2 ? stderr : stdout;
                                    if (std::fwrite(text.data(), 1, text.size(), to) != text.size() || (request.follow && std::fflush(to) != 0)) return fail_errno("writing output");
                                    return {};
                                  },
                                  ended, interrupt.cancel().fd());
  std::fflush(stdout);
  if (!read && read.error().code() != Errc::cancelled) return fail(std::move(read).error());
  return 0;
}

}  // namespace

constinit const Command kLogs{.usage = "[OPTIONS] CONTAINER",
                              .summary = "Fetch the logs of a container",
                              .aliases = "mica container logs, mica logs",
                              .flags = kFlags,
                              .least = 1,
                              .most = 1,
                              .run = run};

}  // namespace mica::cli
