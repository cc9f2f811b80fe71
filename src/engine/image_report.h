/// `report`: all that is known of an image, gathered for a page: its analysis, its file system as a tree, the build that made it, its Dockerfile with the linter's findings,
/// and what became of its name's sizes.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "analyze/file_tree.h"
#include "build/report.h"
#include "engine/analyze_image.h"
#include "engine/engine.h"
#include "engine/trend_table.h"
#include "lint/linter.h"

namespace mica::engine {

struct ReportRequest {
  ReadImage image;
  std::string dockerfile;            ///< path; empty: the text that the record of the build has
  std::size_t tree_bytes = 350'000;  ///< what the tree may take as JSON
  std::size_t largest = 50;          ///< files and directories that are listed
};

/// What became of a step in the known builds of the same name, up to this one.
struct StepRuns {
  int builds = 0, ran = 0, hit = 0;
  std::int64_t median_ns = -1;       ///< of its runs; -1: it never ran
};

struct ImageReport {
  AnalyzedImage analyzed;
  analyze::FileTree tree;
  std::optional<build::BuildReport> build;   ///< of the newest build that made the image
  std::vector<StepRuns> runs;                ///< of build->steps
  std::optional<lint::Report> dockerfile;    ///< nullopt: its text is not known
  bool dockerfile_of_build = false;          ///< it is what was built, not a file that was named
  std::vector<TrendRow> sizes;               ///< of the images that its name stood for, oldest first; empty: none is remembered
};

/// Errors: those of analyze_image(), of reading the Dockerfile and of lint_settings().
Result<ImageReport> report_image(Engine& engine, const ReportRequest& request, task::Cancel cancel);

}  // namespace mica::engine
