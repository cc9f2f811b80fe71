// The first lines, up to an empty one, are an ignore file, the rest paths. A walk that hands states down must agree with single
// questions, and what a walk may skip must hold nothing that comes back.
#include <cstdint>

#include "base/text.h"
#include "dockerfile/ignore.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mica;
  using namespace mica::dockerfile;
  if (size > 1 << 16) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find("\n\n");
  const auto patterns = read_ignore_file(text.substr(0, end));
  if (!patterns) return 0;
  const auto matcher = PatternMatcher::compile(*patterns);
  for (const std::string_view written : split(end == std::string_view::npos ? "" : text.substr(end + 2), '\n')) {
    for (const std::string& pattern : *patterns) (void)match_path(pattern, written);
    std::string path = clean_path(written);
    while (path.starts_with('/')) path.erase(0, 1);
    if (!matcher || path.empty() || path == ".") continue;
    PatternMatcher::State parent, own;
    bool may_skip = false;
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const std::string_view folder = std::string_view(path).substr(0, slash);
      const bool ignored = matcher->matches(folder, parent, own);
      MICA_ASSERT(!may_skip || ignored, "nothing comes back below a folder that may be skipped");
      may_skip = may_skip || (ignored && matcher->can_skip_below(folder));
      std::swap(parent, own);
    }
    const bool ignored = matcher->matches(path, parent, own);
    MICA_ASSERT(ignored == matcher->matches(path), "a walk and a question agree");
    MICA_ASSERT(!may_skip || ignored, "nothing comes back below a folder that may be skipped");
  }
  return 0;
}
