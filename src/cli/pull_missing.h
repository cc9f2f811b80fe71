/// Pulling an image that another command needs.
#pragma once
#include <functional>
#include <string>

#include "engine/engine.h"
#include "task/task.h"

namespace mica::cli {

/// For CreateContainer::fetch: says that the image is not here, pulls it and shows the progress, all on standard error.
std::function<Result<>(const std::string& image, const std::string& platform)> pull_missing(engine::Engine& engine, bool quiet, const task::Cancel& cancel);

}  // namespace mica::cli
