/// What a build did, kept so that it can be asked later: `mica why`, `mica builder logs`.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "base/time.h"
#include "build/events.h"
#include "db/db.h"
#include "oci/digest.h"

namespace mica::build {

struct ReportedStep {
  int number = 0;                       ///< as shown during the build
  std::string title, text;              ///< "[2/5] RUN make", "RUN make"
  int line = 0;                         ///< in the Dockerfile
  Outcome outcome = Outcome::cancelled;
  std::vector<std::string> reasons;
  std::int64_t started_ns = -1;         ///< after BuildReport::started; -1: it never started, or an earlier version wrote the report
  std::int64_t duration_ns = 0;
  std::string record;                   ///< strong key; empty: FROM
  std::string layer;
  oci::Digest log;                      ///< empty: no output
};
struct BuildReport {
  std::int64_t id = 0;                  ///< row id, once stored
  std::string image;                    ///< hex of the image id; empty: failed, or no image was stored
  std::string dockerfile, context, target, error;
  std::string source;                   ///< the Dockerfile's text; empty: longer than kMaxKeptSource, or an earlier version wrote the report
  std::vector<std::string> tags;
  Timestamp started;
  std::int64_t duration_ns = 0;
  std::vector<ReportedStep> steps;
};

inline constexpr std::size_t kMaxKeptSource = 64 << 10;   ///< of 300 reports: 19 MB at worst

class Reports {
 public:
  explicit Reports(Guarded<db::Database>& database) : database_(database) {}
  /// Stores the report and drops all but the newest 300.
  Result<std::int64_t> put(const BuildReport& report);
  /// The newest report of an image, by hex of its id.
  Result<std::optional<BuildReport>> of_image(const std::string& image);
  /// By its number (BuildReport::id).
  Result<std::optional<BuildReport>> numbered(std::int64_t id);
  /// Newest first.
  Result<std::vector<BuildReport>> newest(int limit);

 private:
  Guarded<db::Database>& database_;
};

std::string_view name(Outcome outcome);  ///< "done", "cached", "failed", "cancelled"

}  // namespace mica::build
