/// Which images a name stood for, one after the other: the table `image_trend`. Rows are history: they stay when an image or a name goes.
///
/// A row is entered when a name is given to another image than the newest row of that name has; what a build did and what the layers waste is filled in later, where it becomes
/// known. The newest kMostTrendRows of a name are kept, and kMostTrendRowsInAll.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "base/time.h"
#include "db/db.h"
#include "oci/reference.h"
#include "store/image_table.h"

namespace mica::engine {

inline constexpr int kMostTrendRows = 200, kMostTrendRowsInAll = 50'000;

struct TrendRow {
  std::int64_t number = 0;         ///< later rows have larger ones
  std::string repository, tag;     ///< "docker.io/library/app", "latest"
  oci::ImageId image;
  Timestamp since;                 ///< when the name was given to it
  std::int64_t bytes = 0;          ///< of its files, unpacked
  int layers = 0;
  std::optional<std::int64_t> waste;      ///< strict: analyze/analysis.h. nullopt: nobody asked while the image was here
  struct Build {
    std::int64_t duration_ns = 0;
    int run = 0, cached = 0;       ///< steps; FROM is none
  };
  std::optional<Build> build;      ///< nullopt: it was not built here
  struct Findings {
    std::int64_t errors = 0, warnings = 0;
  };
  std::optional<Findings> findings;       ///< of the linter, in the Dockerfile that was built
};

class TrendTable {
 public:
  explicit TrendTable(Guarded<db::Database>& database) : database_(database) {}
  /// Of `names` those with a tag get a row, unless their newest one has this image.
  Result<> name(const store::ImageRow& image, const std::vector<oci::Reference>& names);
  /// The newest rows of `names` that have this image and know of no build.
  Result<std::vector<TrendRow>> without_build(const oci::ImageId& image, const std::vector<oci::Reference>& names);
  /// The rows that have this image and do not know its waste.
  Result<bool> lacks_waste(const oci::ImageId& image);
  Result<> set_build(std::int64_t number, const TrendRow::Build& build, const std::optional<TrendRow::Findings>& findings);
  Result<> set_waste(const oci::ImageId& image, std::int64_t bytes);
  /// Newest first. An empty tag: rows of all tags. `most` 0: all.
  Result<std::vector<TrendRow>> list(const oci::Reference& name, int most);

 private:
  Guarded<db::Database>& database_;
};
extern const std::string_view kTrendSchemaSql;

}  // namespace mica::engine
