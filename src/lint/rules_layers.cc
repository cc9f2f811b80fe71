// Order and number of layers, and what is stored twice.
#include "lint/run_rules.h"

namespace mica::lint {

std::span<const Rule> layer_rules() {
  static const std::vector<Rule> all = joined({order_rules(), context_rules(), archive_rules(), rewrite_rules()});
  return all;
}

}  // namespace mica::lint
