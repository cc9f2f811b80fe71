/// A folder on disk as a source tree. Internal to the module's contexts; others use make_local_tree (context.h).
///
/// A folder is read when somebody asks for it, and once: what a build sees of a file is what the first look saw. The digests that
/// earlier builds remember come with the folder. Ignore rules are asked once for each path, on from the folder's own answer;
/// below an excluded folder nothing is read unless a later rule may take something back in.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "build/context.h"
#include "build/local_tree_entry.h"
#include "dockerfile/ignore.h"

namespace mica::build {

struct LocalOptions {
  std::vector<std::string> patterns;  ///< cleaned ignore patterns
  std::string name = "the build context";
  std::optional<std::int64_t> mtime_ns;  ///< every entry shows this time instead of its own
  bool remember = true;                  ///< false: a folder that will not be seen again
  std::optional<sys::TempDir> holder;    ///< removed with the tree
};

/// `root` as on the command line or in our workspace; links in it are followed. Errors: not_found, permission_denied,
/// invalid_argument (patterns).
Result<std::unique_ptr<SourceTree>> open_local_tree(const std::string& root, const ContextTools& tools, LocalOptions options);

class LocalTree : public SourceTree {
 public:
  LocalTree(std::string path, sys::Fd root, dockerfile::PatternMatcher matcher, const ContextTools& tools, LocalOptions options);
  ~LocalTree() override;

  Result<std::optional<Node>> find(std::string_view path) override;
  Result<std::vector<Node>> children(std::string_view path) override;
  void expect_all_below(std::string_view path) override;
  std::string hidden_by(std::string_view path) override;
  Result<> hash(std::span<Node*> files, task::Cancel cancel) override;
  bool is_local_context() const override { return true; }
  std::string name() const override { return options_.name; }

 private:
  /// What is known of a folder so far.
  struct Contents {
    bool listed = false;                 // all entries are there; none of a thing that is no folder
    std::optional<FolderId> id;          // once its memory was read
    std::vector<LocalEntry> entries;     // sorted by name; without those that can never show
    std::vector<RememberedFile> memory;  // once listed: only of files that exist and are hidden
    std::optional<bool> shows;           // something in it is not excluded
    const LocalEntry* find(std::string_view name) const;
    LocalEntry& keep(LocalEntry entry);
  };
  struct Folder {
    std::string path;
    dockerfile::PatternMatcher::State state;  // of the ignore rules
    Guarded<Contents> contents;               // locked from parent to child only, and before folders_
  };
  using Folders = std::unordered_map<std::string, std::unique_ptr<Folder>>;
  struct HashJob;

  Folder& folder(std::string_view path);
  Folder& folder_in(Folders& folders, std::string_view path);
  void add_folder(const std::string& path, dockerfile::PatternMatcher::State state);
  /// A descriptor of the folder; an empty one when the path is no folder (any more).
  Result<sys::Fd> open_folder(const std::string& path, int flags) const;
  Result<> list(const Folder& folder, Contents& contents);
  void read_next(std::vector<std::string>& folders);
  Result<> read_entries(const sys::Fd& fd, const Folder& folder, Contents& contents);
  Result<> recall(const sys::Fd& fd, Contents& contents);
  Result<bool> shows_something(Folder& folder);
  Result<bool> shows(const Folder& folder, const LocalEntry& entry);
  Result<std::optional<LocalEntry>> entry_at(Folder& folder, std::string_view name);
  Node node_of(const std::string& folder, const LocalEntry& entry) const;
  void refresh_memory();

  Result<> hash_batch(std::span<HashJob> jobs, const task::Cancel& stop);
  Result<> hash_one(const sys::Fd& folder, HashJob& job, std::span<unsigned char> buffer, const task::Cancel& stop);
  Result<> save_memory(std::span<const HashJob> jobs);

  const std::string path_;  // absolute
  const sys::Fd root_;
  const dockerfile::PatternMatcher matcher_;
  const ContextTools tools_;
  const LocalOptions options_;
  std::optional<FileHashes> hashes_;
  Guarded<Folders> folders_;
};

}  // namespace mica::build
