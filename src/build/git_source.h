/// Git URLs taken apart (spec: dockerfile.md section 5, ADD git). Internal to the module; fetching is in context.h.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace mica::build {

/// `REMOTE[#REF[:SUBDIR]]`, or `REMOTE?KEY=VALUE&…` with ref, branch, tag, subdir, commit (or checksum), keep-git-dir,
/// submodules, mtime=checkout|commit, fetch-by-commit.
struct GitReference {
  std::string remote;    ///< for git; without a password, without what is ours of the URL
  Secret authorization;  ///< "Basic …", of a user and password in an http(s) URL
  std::string ref;       ///< commit, short name, or refs/…; empty: the default branch
  std::string subdir;    ///< clean and relative; empty: all
  std::string commit;    ///< that the reference must be at (or a prefix of it); empty: any
  std::optional<bool> keep_git_dir;
  bool submodules = true;
  bool commit_times = true;      ///< files get the commit's time
  bool fetch_by_commit = false;  ///< `commit` is what is fetched
};

/// Errors: invalid_argument (not a git URL, unknown or contradicting keys).
Result<GitReference> parse_git_url(const std::string& url);

/// A URL as it may be shown: user and password of http(s) are left out, the password of others.
std::string without_password(const std::string& url);

/// A whole commit id (SHA-1 or SHA-256), in lower case.
bool is_commit_id(std::string_view text);

}  // namespace mica::build
