#include <algorithm>

#include "cli/commands.h"
#include "engine/container_processes.h"

namespace mica::cli {
namespace {

constexpr std::size_t kLeastWidth = 20, kGap = 3;

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(kLeastWidth);
      widths[i] = std::max(widths[i], row[i].size() + kGap);
    }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - row[i].size(), ' ');
    }
    out += '\n';
  }
  return out;
}

Result<int> run(Context& context) {
  const auto& words = context.args.positionals();
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  auto processes = TRY(engine::container_top(*engine, words[0], {words.begin() + 1, words.end()}));
  processes.rows.insert(processes.rows.begin(), processes.titles);
  TRY(print(aligned(processes.rows)));
  return 0;
}

}  // namespace

constinit const Command kTop{.usage = "CONTAINER [ps OPTIONS]",
                             .summary = "Display the running processes of a container",
                             .aliases = "mica container top, mica top",
                             .flags = {},
                             .least = 1,
                             .flags_first = true,
                             .run = run};

}  // namespace mica::cli
