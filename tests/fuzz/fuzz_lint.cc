// The linter over any text: every place and every edit lies within the source, edits stand apart and in order, and what was fixed once is not fixed again.
#include <cstdint>
#include <string>

#include "base/error.h"
#include "lint/linter.h"

using namespace mica::lint;

namespace {

void require(bool holds) { MICA_ASSERT(holds, "see the first line of this file"); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1 << 14) return 0;
  const std::string source(reinterpret_cast<const char*>(data), size);
  const Options options{.today = "2026-11-25"};
  for (const Finding& finding : lint_text("Dockerfile", source, options).findings) {
    require(finding.where.begin <= finding.where.end && finding.where.end <= source.size());
    if (!finding.fix) continue;
    std::size_t at = 0;
    for (const Edit& edit : finding.fix->edits) {
      require(edit.where.begin >= at && edit.where.end >= edit.where.begin && edit.where.end <= source.size());
      at = edit.where.end;
    }
  }
  const std::string fixed = fix_text("Dockerfile", source, options, true).source;
  require(fix_text("Dockerfile", fixed, options, true).source == fixed);
  return 0;
}
