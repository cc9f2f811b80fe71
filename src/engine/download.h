/// Files from http(s) URLs.
#pragma once
#include "build/download.h"
#include "engine/engine.h"

namespace mica::engine {

/// See build/download.h. The function refers to `engine`.
build::Downloader downloader(Engine& engine);

}  // namespace mica::engine
