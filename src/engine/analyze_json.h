/// An analysis as the stable JSON of docs/formats/analyze.md (version 1).
#pragma once
#include "analyze/analysis.h"
#include "analyze/limits.h"
#include "json/json.h"

namespace mica::engine {

inline constexpr int kAnalysisVersion = 1;

/// `breaches`: of the limits that were asked for.
json::Value to_json(const analyze::Analysis& analysis, const std::vector<analyze::Breach>& breaches = {});

}  // namespace mica::engine
