/// Build contexts: where the Dockerfile and the files of COPY come from.
///
/// Kinds: a folder; "-" (a tar, compressed or not, or Dockerfile text); a tar file; a git URL; an http(s) URL of a tar or a
/// Dockerfile. What is not a folder is fetched below the workspace first, for as long as its tree lives. Ignore files count in
/// folders only, as with Docker. (spec: dockerfile.md sections 6 and 7.)
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "build/download.h"
#include "build/source_tree.h"
#include "db/db.h"
#include "task/task.h"

namespace mica::http {
class Client;
}

namespace mica::build {

/// What contexts need from the engine.
struct ContextTools {
  Guarded<db::Database>* database = nullptr;  ///< memory of file hashes; null: none is kept
  task::Pool* pool = nullptr;
  std::string temporary;  ///< folder that vanishes with the process
  Downloader download;
};

struct ContextRequest {
  std::string context;     ///< the positional argument of build
  std::string dockerfile;  ///< -f; empty: default; "-": standard input; relative to the working directory for a folder,
                           ///< inside of the context for other kinds; may be an http(s) URL
  std::string name_of_default = "Dockerfile";
};

struct Context {
  std::unique_ptr<SourceTree> tree;          ///< after ignore rules; an empty tree for Dockerfile text on stdin
  std::string root;                          ///< absolute path of the user's folder; empty for other kinds
  std::string dockerfile_name;               ///< for messages: "Dockerfile", "-", "docker/app.Dockerfile"
  std::string dockerfile;                    ///< its bytes
  std::string description;                   ///< "folder /src/app", "git https://… at 1f0c…", "tar from standard input"
  std::string commit_time;                   ///< seconds, of a git context; for SOURCE_DATE_EPOCH=context
  std::vector<std::string> ignore_patterns;  ///< as read; for the lint CopyIgnoredFile
};

/// Errors: not_found (folder, Dockerfile: with Docker's wording and a suggestion such as "dockerfile" in lower case),
/// invalid_argument (ignore file, with its line), corrupt (archives), unavailable (git, network), permission_denied.
Result<Context> open_context(const ContextRequest& request, const ContextTools& tools, task::Cancel cancel);

/// `--build-context NAME=VALUE` for folders, git and http(s) URLs; a folder obeys the .dockerignore in its own root.
/// (docker-image:// and oci-layout:// are base images: see base_images.h.)
Result<std::unique_ptr<SourceTree>> open_named_context(const std::string& name, const std::string& value,
                                                       const ContextTools& tools, task::Cancel cancel);

/// A folder as a tree, `patterns` being cleaned ignore patterns. Walked lazily: only folders that are asked for are read.
Result<std::unique_ptr<SourceTree>> make_local_tree(const std::string& root, const std::vector<std::string>& patterns,
                                                    const ContextTools& tools, std::string name);

/// Checks out a git reference into a fresh folder below tools.temporary (files 644/755, by default with the time of the commit)
/// and returns it as a tree, which keeps the folder; `checksum` is a prefix of the commit (or of the tag object) that must match.
/// Runs the program git and waits for it: pool workers declare that they block. Forms and query keys: spec section 5, ADD git;
/// here also file:// and plain paths. Errors: not_found (git itself, the repository, the reference, the folder in it),
/// unauthorized, unavailable, corrupt (another commit than asked for), invalid_argument (the URL), cancelled.
struct GitTree {
  std::unique_ptr<SourceTree> tree;
  std::string root, commit, commit_time;
};
bool is_git_url(std::string_view text, bool context);  ///< `context`: github.com/x/y shorthand and file:// are ones too
Result<GitTree> fetch_git(const std::string& url, bool keep_git_dir, const std::string& checksum, const ContextTools& tools,
                          task::Cancel cancel);

}  // namespace mica::build
