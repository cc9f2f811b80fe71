/// `sync`: keeps copies of a list of images: goes on after errors, continues where an earlier run was broken off, tells what became of each.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/copy_image.h"

namespace mica::engine {

/// A line of a list: what is copied, and where to. A source whose tag has wildcards (* ? [a-z]) stands for all tags that match.
struct SyncRule {
  std::string from;                    ///< a place (image_places.h); "repo:*", "repo:3.*"
  std::string to;                      ///< a place; empty: below SyncImages::to. Without tag: the source's tag is kept
  std::string where;                   ///< for messages: "images.txt:12"; may be empty
};
/// A list: a rule a line, blanks between source and target, '#' begins a comment. Errors: invalid_argument (with its line).
Result<std::vector<SyncRule>> parse_sync_list(const std::string& file, std::string_view text);

struct SyncImages {
  std::vector<SyncRule> rules;
  std::string to;                      ///< REGISTRY[/PATH], or oci:FOLDER: for rules without target. The source's path (and tag) is kept below
  int newest = 0;                      ///< of what matches a pattern only so many, by version; 0: all
  std::string platform;                ///< as CopyImage has it
  bool referrers = false, dry_run = false;
  int images_at_once = 3;
  std::string journal;                 ///< file; empty: none (journal.h)
};

enum class SyncStatus {
  copied,        ///< with dry_run: it would be
  unchanged,     ///< it was there
  done_before,   ///< the journal says so: nobody was asked
  failed,
  cancelled,     ///< it was not its turn before the end
};
std::string_view name(SyncStatus status);

struct Synced {
  std::string from, to;
  SyncStatus status = SyncStatus::cancelled;
  Copied copied;
  std::string error;                   ///< of `failed`
  std::int64_t ns = 0;                 ///< how long it took
};
/// In the order of the rules, patterns spelt out. A rule that cannot be spelt out (its tags cannot be listed) is one failed entry.
/// `tell` gets each as it is done, one call at a time. Errors: invalid_argument (a rule that is none, two sources for one target),
/// conflict (another process writes the journal), those of the journal. What happens to single images is no error, not even cancelled.
Result<std::vector<Synced>> sync_images(CopySession& session, const SyncImages& request, const std::function<void(const Synced&)>& tell, task::Cancel cancel);

}  // namespace mica::engine
