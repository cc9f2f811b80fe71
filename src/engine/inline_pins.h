/// `lock --inline`: digests written into the Dockerfile itself, behind the names they belong to.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dockerfile/tree.h"
#include "engine/lock_images.h"

namespace mica::engine {

/// A place of a Dockerfile where an image is named: FROM, COPY --from, RUN --mount=from. Not stages, nor ONBUILD triggers.
struct ImageWord {
  std::string text;          ///< as it stands there
  std::size_t offset = 0;    ///< of the text in the file's source
  int line = 0;
  bool is_fixed = false;     ///< without variables, quotes and line breaks: it can be replaced
};
std::vector<ImageWord> image_words(const dockerfile::File& file);

struct InlinePin {
  int line = 0;
  std::string before, after;
};
struct Inlined {
  std::vector<InlinePin> pins;               ///< what was rewritten, in file order
  std::vector<std::string> remarks;          ///< names that could not be
  std::vector<LockChange> lock_changes;      ///< the lock beside the file, which needs less now
};
/// Rewrites `name:tag` to `name:tag@digest`, by the lock where that has the name, else by the registry; `name` becomes `name:latest@digest`. With
/// `update` names that have tag and digest get the tag's digest of now. Nothing is written when nothing changes; links are followed.
/// Errors: as lock_images; unsupported (a compose file).
Result<Inlined> pin_inline(CopySession& session, const LockRequest& request, task::Cancel cancel);

}  // namespace mica::engine
