/// Findings, and findings told together, from the strict walk. Internal to the module.
#pragma once
#include "analyze/analysis.h"
#include "analyze/stack.h"

namespace mica::analyze {

std::vector<Finding> find_waste(const Image& image, const Stack& stack);
/// `findings` as find_waste gives them.
std::vector<Rollup> roll_up(const Stack& stack, const std::vector<Finding>& findings);

}  // namespace mica::analyze
