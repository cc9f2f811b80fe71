#include "cli/pull_missing.h"

#include "base/format.h"
#include "cli/command.h"
#include "engine/pull_image.h"

namespace mica::cli {

std::function<Result<>(const std::string& image, const std::string& platform)> pull_missing(engine::Engine& engine, bool quiet, const task::Cancel& cancel) {
  return [&engine, quiet, cancel](const std::string& image, const std::string& platform) -> Result<> {
    if (!quiet) note(format("Unable to find image '{}' locally\n", image));
    const auto begin = [&](const oci::Reference& reference) {
      if (!quiet) note(format("{}: Pulling from {}\n", reference.digest.empty() ? reference.tag : reference.str(), reference.path));
    };
    // Downloads are told by their ends only: a line for each percent of each layer would bury the container's own output.
    const auto events = [quiet](const engine::TransferEvent& event) {
      if (event.id.empty()) note(event.status + "\n");
      else if (!quiet && event.done == 0) note(format("{}: {}\n", event.id, event.status));
    };
    const auto pulled = TRY(engine::pull_images(engine, {.name = image, .platform = platform, .all_tags = false}, begin, events, cancel));
    for (const auto& one : pulled)
      if (!quiet)
        note(format("Digest: {}\nStatus: {} for {}\n", one.digest.str(), one.is_new ? "Downloaded newer image" : "Image is up to date", one.reference.familiar()));
    return {};
  };
}

}  // namespace mica::cli
