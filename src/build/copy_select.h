/// What the sources of COPY and ADD name: entries of a tree, found by path or wildcard, without what is excluded.
///
/// A path is cleaned inside the tree's root and its links are followed, a final one too; links met below it are copied as links.
/// Wildcards match one path segment each ('*' and '**' alike) and are followed in the same way. A folder stands for its contents:
/// excluded entries come back when a later "!" pattern names something below them, and then bring their parent folders along.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "build/key.h"
#include "build/source_tree.h"
#include "task/task.h"

namespace mica::build {

struct SelectedEntry {
  Node node;
  bool implied = false;  ///< a folder that only came along with something below it
};

/// One thing to copy: a source, or one match of a wildcard.
struct SelectedSource {
  std::string shown;                   ///< the path as the user knows it, before links: "src/app"; "" is the root
  std::string root;                    ///< path of the first entry in its tree
  std::vector<SelectedEntry> entries;  ///< the file; or the folder itself, then all below it, folders before their contents
  bool unpack = false;                 ///< ADD: an archive is unpacked
  Parts parts;                         ///< not empty: what stands for the entries in the step's key (downloads, git)

  bool is_folder() const { return entries.front().node.type == snapshot::Type::directory; }
  /// Path below the source: "" for the first entry.
  std::string_view below(const SelectedEntry& entry) const;
  /// What a file is called inside a destination folder.
  std::string name() const;
};
using Selection = std::vector<SelectedSource>;

struct SelectOptions {
  std::vector<std::string> excludes;  ///< --exclude, relative to each source
  bool parents = false;               ///< --parents: the path below the root (or the "/./" pivot) is kept
};

/// Appends what `source` (as written) names. A wildcard that matches nothing is no error.
/// Errors: not_found (nothing of that name; with a hint: an ignore rule, a similar name), invalid_argument (pattern, link loop).
Result<> select_source(SourceTree& tree, std::string_view source, const SelectOptions& options, Selection& selection,
                       task::Cancel cancel);

/// Hashes the files of a selection that are not hashed yet.
Result<> hash_selection(SourceTree& tree, Selection& selection, task::Cancel cancel);

/// Appends one content part an entry: "file PATH" and its identity. Of a folder source the folder's own metadata is left out,
/// since it lends none.
void add_parts(const Selection& selection, Parts& parts);

}  // namespace mica::build
