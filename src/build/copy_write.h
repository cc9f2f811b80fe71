/// Puts selected sources into a layer by COPY's rules.
///
/// A folder source's contents go into the destination folder: below it, folders that are there already take the source's mode,
/// owner and attributes, while the destination itself keeps its own and takes only the time. A file goes inside when the
/// destination is a folder (or ends in '/'), else under the destination's name. Files replace files and links, never folders;
/// folders replace nothing. Everything follows Docker 28.5 (tests/corpus, chapter 6).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "build/chmod.h"
#include "build/copy_select.h"
#include "build/session.h"
#include "snapshot/layer_writer.h"
#include "task/task.h"

namespace mica::build {

struct Destination {
  std::string path;        ///< relative, without links
  bool is_folder = false;  ///< written with a trailing '/' or "/."
};
/// `text` as in CopyOp; links are resolved in `tree`. Errors: invalid_argument (link loop).
Result<Destination> find_destination(std::string_view text, const snapshot::TreeView& tree);

/// A layer that an earlier run of the same step made: where unchanged files can be linked from.
struct EarlierLayer {
  snapshot::Listing listing;
  std::string directory;  ///< empty: there is none
};

struct CopyRules {
  std::optional<Owner> owner;            ///< --chown
  std::optional<Chmod> chmod;            ///< --chmod
  std::int64_t now_ns = 0;               ///< time of folders and files that have none of their own
  std::optional<std::int64_t> clamp_ns;  ///< no time is later
};

class CopyWriter {
 public:
  CopyWriter(snapshot::LayerWriter& layer, const CopyRules& rules, EarlierLayer earlier, task::Cancel cancel)
      : layer_(layer), rules_(rules), earlier_(std::move(earlier)), cancel_(std::move(cancel)) {}

  /// Entries are emptied as they are placed: of a large context, they take more memory than anything else.
  /// Errors: conflict (folder over something else, file over a folder, a file on the way to the destination), those of reading.
  Result<> place(SelectedSource& source, const Destination& destination);
  /// A heredoc: mode 0644, root's, the time of the build.
  Result<> place(std::string_view name, const std::string& content, const Destination& destination);
  /// The destination as a folder, for an archive's contents; what is pending is written. `mode` for folders that must be made.
  Result<> open_folder(const std::string& path, std::uint32_t mode);
  /// Devices that only root could have made.
  const std::vector<std::string>& left_out() const { return left_out_; }
  /// Writes files that wait to be written together.
  Result<> flush();

 private:
  std::uint32_t new_folder_mode() const { return rules_.chmod ? rules_.chmod->new_folder_mode() : 0755; }
  std::int64_t clamped(std::int64_t ns) const { return rules_.clamp_ns ? std::min(ns, *rules_.clamp_ns) : ns; }
  snapshot::Meta meta_of(const Node& node) const;
  Result<std::optional<snapshot::Entry>> visible(const std::string& path);
  Result<> make_folder(const std::string& path, std::uint32_t mode);
  Result<std::string> target_of(std::string_view name, const Destination& destination);
  Result<> place_folder(const SelectedSource& source, const std::string& target);
  Result<> put_folder(const SelectedEntry& entry, const std::string& target, bool is_fresh);
  Result<> put(const Node& node, std::string target, bool is_fresh);
  Result<> put_device(const Node& node, const std::string& target);
  Result<> put_file(const Node& node, std::string target);
  bool can_link(const snapshot::FileJob& job) const;

  snapshot::LayerWriter& layer_;
  const CopyRules& rules_;
  const EarlierLayer earlier_;
  const task::Cancel cancel_;
  std::vector<snapshot::FileJob> jobs_;
  std::vector<std::pair<std::string, std::string>> links_;  // hard links to make once the files are there: name, existing
  std::unordered_set<std::string> pending_;                 // their paths
  struct First {
    const Node* node;
    std::string target;
  };
  std::unordered_map<std::uint64_t, First> groups_;  // hard links of the source at hand, by Node::inode_group
  std::vector<std::string> left_out_;
  std::string fresh_;   // below this folder ("x/") there was nothing before this copy
  std::string folder_;  // known to be a folder: the last one made
};

}  // namespace mica::build
