#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "build/context.h"
#include "build/git_source.h"

namespace mica::build {
namespace {

bool is_github_shorthand(std::string_view text) { return text.starts_with("github.com/") && text.size() > 11; }

/// "user@host:path", as scp and git read it.
bool is_scp_form(std::string_view text) {
  const auto is_word = [](std::string_view part, std::string_view more) {
    return !part.empty() && std::ranges::all_of(part, [&](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || more.find(c) != more.npos;
    });
  };
  const auto at = text.find('@');
  if (at == text.npos) return false;
  const auto colon = text.find(':', at);
  return colon != text.npos && colon + 1 < text.size() && is_word(text.substr(0, at), "-_") &&
         is_word(text.substr(at + 1, colon - at - 1), "-.");
}

bool is_http(std::string_view text) { return text.starts_with("http://") || text.starts_with("https://"); }

Result<std::string> percent_decoded(std::string_view text, bool plus_is_blank) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out += ' ';
    } else if (text[i] == '%') {
      if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0)
        return failf(Errc::invalid_argument, "{} has a bad escape", quoted(text));
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// As Go reads them; a key without a value means true.
Result<bool> boolean(const std::string& key, const std::string& value) {
  for (const std::string_view yes : {"", "1", "t", "T", "true", "TRUE", "True"})
    if (value == yes) return true;
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"})
    if (value == no) return false;
  return failf(Errc::invalid_argument, "invalid {} value: {} is neither true nor false", key, quoted(value));
}

Result<> set_once(std::string& field, std::string value, std::string_view what) {
  if (!field.empty() && field != value)
    return failf(Errc::invalid_argument, "{} conflicts: {} and {}", what, quoted(field), quoted(value));
  field = std::move(value);
  return {};
}

std::string with_prefix(std::string_view prefix, const std::string& name) {
  return name.starts_with(prefix) ? name : std::string(prefix) + name;
}

Result<> set_query(GitReference& git, const std::string& key, const std::string& value) {
  const bool is_flag = key == "keep-git-dir" || key == "submodules" || key == "fetch-by-commit";
  if (value.empty() && !is_flag) return failf(Errc::invalid_argument, "query {} has no value", quoted(key));
  if (key == "ref") return set_once(git.ref, value, "ref");
  if (key == "branch") return set_once(git.ref, with_prefix("refs/heads/", value), "ref");
  if (key == "tag") return set_once(git.ref, with_prefix("refs/tags/", value), "ref");
  if (key == "subdir") return set_once(git.subdir, value, "subdir");
  if (key == "commit" || key == "checksum") return set_once(git.commit, value, "commit");
  if (key == "keep-git-dir")
    git.keep_git_dir = TRY(boolean(key, value));
  else if (key == "submodules")
    git.submodules = TRY(boolean(key, value));
  else if (key == "fetch-by-commit")
    git.fetch_by_commit = TRY(boolean(key, value));
  else if (key == "mtime" && (value == "checkout" || value == "commit"))
    git.commit_times = value == "commit";
  else if (key == "mtime")
    return failf(Errc::invalid_argument, "invalid mtime value: {} is neither checkout nor commit", quoted(value));
  else
    return failf(
        Errc::invalid_argument,
        "unexpected query {}: known are ref, branch, tag, subdir, commit, keep-git-dir, submodules, mtime, fetch-by-commit",
        quoted(key));
  return {};
}

Result<> read_query(GitReference& git, std::string_view query) {
  std::set<std::string> seen;
  for (const auto pair : split(query, '&')) {
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    const std::string key = TRY(percent_decoded(pair.substr(0, equals), true));
    const std::string value = TRY(percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true));
    if (!seen.insert(key).second) return failf(Errc::invalid_argument, "query {} has multiple values", quoted(key));
    TRY(set_query(git, key, value));
  }
  return {};
}

Result<> read_fragment(GitReference& git, std::string_view fragment) {
  const std::string text = TRY(percent_decoded(fragment, false));
  const auto colon = std::min(text.find(':'), text.size());
  git.ref = text.substr(0, colon);
  git.subdir = text.substr(std::min(colon + 1, text.size()));
  return {};
}

/// Where user and password stand in a URL with a scheme: [begin, end) and the '@'.
std::optional<std::pair<std::size_t, std::size_t>> user_part(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == url.npos) return std::nullopt;
  const std::size_t begin = scheme + 3;
  const auto end = std::min(url.find_first_of("/?#", begin), url.size());
  const auto at = url.substr(0, end).rfind('@');
  if (at == url.npos || at < begin) return std::nullopt;
  return std::pair(begin, at);
}

/// Moves what must not be seen from the remote into the authorization: git's command lines and its configuration show the remote.
Result<> take_password(GitReference& git) {
  const auto user = user_part(git.remote);
  if (!user || !is_http(git.remote)) return {};
  const std::string text = git.remote.substr(user->first, user->second - user->first);
  const auto colon = std::min(text.find(':'), text.size());
  const std::string name = TRY(percent_decoded(std::string_view(text).substr(0, colon), false));
  const std::string password = TRY(percent_decoded(std::string_view(text).substr(std::min(colon + 1, text.size())), false));
  git.authorization = Secret("Basic " + base64(name + ":" + password));
  git.remote.erase(user->first, user->second + 1 - user->first);
  return {};
}

Result<> read_git_url(GitReference& git, const std::string& url) {
  const std::string_view whole = url;
  const auto hash = std::min(whole.find('#'), whole.size());
  const auto question = std::min(whole.substr(0, hash).find('?'), hash);
  git.remote = (is_github_shorthand(whole) ? "https://" : "") + std::string(whole.substr(0, question));
  if (git.remote.empty() || git.remote.starts_with('-')) return fail(Errc::invalid_argument, "it names no repository");
  TRY(take_password(git));
  TRY(read_fragment(git, whole.substr(std::min(hash + 1, whole.size()))));
  TRY(read_query(git, whole.substr(std::min(question + 1, hash), hash - std::min(question + 1, hash))));
  const std::string_view hex_digits = "0123456789abcdef";
  git.commit = to_lower(git.commit);
  if (git.commit.find_first_not_of(hex_digits) != git.commit.npos)
    return failf(Errc::invalid_argument, "{} is no commit id", quoted(git.commit));
  if (git.ref.starts_with('-') || git.ref.find_first_of(std::string_view(" ~^:?*[\\\n\0", 10)) != git.ref.npos)
    return failf(Errc::invalid_argument, "{} is no name of a branch, tag or commit", quoted(git.ref));
  git.subdir = clean_path("/" + git.subdir).substr(1);
  return {};
}

}  // namespace

bool is_git_url(std::string_view text, bool context) {
  if (text.starts_with("git://") || text.starts_with("ssh://")) return true;
  if (is_http(text)) return text.substr(0, text.find_first_of("?#")).ends_with(".git");
  // These could be paths of the user's; a Dockerfile does not get to read them.
  if (context && (text.starts_with("file://") || is_github_shorthand(text))) return true;
  return text.find("://") == text.npos && is_scp_form(text);
}

Result<GitReference> parse_git_url(const std::string& url) {
  GitReference git;
  TRY_DOING(read_git_url(git, url), format("the git URL {}", quoted(without_password(url))));
  return git;
}

std::string without_password(const std::string& url) {
  const auto user = user_part(url);
  if (!user) return url;
  std::string shown = url;
  if (is_http(url)) return shown.erase(user->first, user->second + 1 - user->first);
  const auto colon = shown.find(':', user->first);
  return colon < user->second ? shown.erase(colon, user->second - colon) : shown;
}

bool is_commit_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && text.find_first_not_of("0123456789abcdef") == text.npos;
}

}  // namespace mica::build
