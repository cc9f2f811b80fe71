// Package managers and downloads inside RUN.
#include "lint/run_rules.h"

namespace mica::lint {

std::span<const Rule> package_rules() {
  static const std::vector<Rule> all =
      joined({version_rules(), install_rules(), cache_rules(), download_rules(), certificate_rules()});
  return all;
}

}  // namespace mica::lint
