/// ADD of URLs and git repositories: fetched before anything else, then copied like other sources.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "build/copy_select.h"
#include "build/graph.h"
#include "build/session.h"
#include "task/task.h"

namespace mica::build {

enum class SourceKind { local, url, git };
SourceKind kind_of_source(std::string_view source);

/// What a URL's file is called: the last part of its path, or "__unnamed__".
std::string name_of_url(std::string_view url);

/// The secret that authorises requests to the URL's host, as the value of an Authorization header: `HTTP_AUTH_HEADER_<host>`
/// verbatim, or `HTTP_AUTH_TOKEN_<host>` as a bearer token. Empty: there is none.
Secret authorization_for(std::string_view url, const std::vector<SecretSource>& secrets);

/// A file of mode 0600, root's, with the time of Last-Modified or else the epoch. Its key part is the content's digest.
/// Errors: those of Session::download, corrupt (not the content that --checksum asks for), invalid_argument (the checksum's
/// form).
Result<SelectedSource> add_url(const std::string& url, const CopyOp& op, const Session& session, task::Cancel cancel);

/// The checked-out files; `tree` keeps them. The key part is the commit. Errors: those of fetch_git.
Result<SelectedSource> add_git(const std::string& url, const CopyOp& op, const Session& session,
                               std::unique_ptr<SourceTree>& tree, task::Cancel cancel);

}  // namespace mica::build
