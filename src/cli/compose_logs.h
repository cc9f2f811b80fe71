/// Logs of several containers at once, each line with the name of its container in front.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "compose/state.h"
#include "container/log_file.h"
#include "engine/engine.h"
#include "task/task.h"

namespace mica::cli {

struct LogStyle {
  bool colour = true, prefix = true, timestamps = false;
};
/// Prints until all have ended (with `request.follow`) or all is printed. `ended` (may be empty) hears of each container's end, from any thread.
Result<> print_logs(engine::Engine& engine, const std::string& project, const std::vector<compose::ProjectContainer>& containers, const container::LogRequest& request, const LogStyle& style,
                    const std::function<void(const compose::ProjectContainer&, int exit_code)>& ended, const task::Cancel& cancel);

}  // namespace mica::cli
