/// `image trend`: what became of the images of a name: sizes, waste, build times, findings (trend_table.h). And where that is remembered: each way of giving a name to an image
/// calls remember_names(), a build remember_build(); what removes images calls remember_waste() before. None of it is a reason to fail: what goes wrong is logged.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "analyze/limits.h"
#include "build/report.h"
#include "engine/engine.h"
#include "engine/trend_table.h"
#include "task/task.h"

namespace mica::engine {

void remember_names(Engine& engine, const store::ImageRow& image, const std::vector<oci::Reference>& names);
/// Costs nothing when the build gave the image that its names had. `build_args` as the linter takes them.
void remember_build(Engine& engine, const build::BuildReport& report, const oci::ImageId& image, const std::vector<std::string>& build_args);
/// For images that were built here and are about to go.
void remember_waste(Engine& engine, const store::ImageRow& image);

struct TrendRequest {
  std::string name;                ///< REPOSITORY[:TAG]; what is no known name may be an image of the store, whose name counts then
  bool all_tags = false;           ///< rows of all tags of the repository
  std::size_t shown = 0;           ///< so many of the newest get their waste worked out; 0: all
};
/// All rows, newest first. Waste that nobody worked out yet is, as long as the image is in the store.
/// Errors: not_found (the name is not known), invalid_argument, cancelled.
Result<std::vector<TrendRow>> image_trend(Engine& engine, const TrendRequest& request, task::Cancel cancel);

/// The row that the newest one is compared with: `against` is a row's image id or the beginning of it, a moment (the row that counted then), or another name (its newest row).
/// Empty: the newest row with another image. nullopt: there is none. `rows`: all of the name's, newest first, not empty.
/// Errors: not_found (none of these), invalid_argument.
Result<std::optional<TrendRow>> trend_baseline(Engine& engine, const std::vector<TrendRow>& rows, const std::string& against);

/// Whether `now` takes more room than `before` and `allowed` let it.
bool grew_beyond(const TrendRow& before, const TrendRow& now, const analyze::Amount& allowed);

}  // namespace mica::engine
