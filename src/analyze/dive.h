/// The measure of the tool dive, for those whose thresholds are made for it (analysis.h, Dive). Internal to the module.
#pragma once
#include "analyze/analysis.h"

namespace mica::analyze {

Dive dive_measure(const Image& image);

}  // namespace mica::analyze
