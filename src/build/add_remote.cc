#include "build/add_remote.h"

#include <fcntl.h>

#include "base/format.h"
#include "base/text.h"
#include "build/context.h"
#include "build/git_source.h"
#include "oci/digest.h"
#include "stream/stream.h"

namespace mica::build {
namespace {

bool is_http(std::string_view text) { return text.starts_with("http://") || text.starts_with("https://"); }

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit_of(text[i + 1]) >= 0 && digit_of(text[i + 2]) >= 0) {
      out += static_cast<char>(digit_of(text[i + 1]) * 16 + digit_of(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// What stands between "//" and the path, and what follows.
std::pair<std::string_view, std::string_view> authority_and_path(std::string_view url) {
  const auto scheme = url.find("://");
  std::string_view rest = scheme == url.npos ? url : url.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("?#"));
  const auto slash = std::min(rest.find('/'), rest.size());
  return {rest.substr(0, slash), rest.substr(slash)};
}

Result<Sha256Bytes> hash_file(const std::string& path) {
  const auto file = TRY(sys::open(path, O_RDONLY));
  Sha256 hash;
  std::vector<unsigned char> buffer(stream::kBufferBytes);
  for (;;) {
    const std::size_t n = TRY(sys::read_full(file, buffer));
    hash.update(std::span<const unsigned char>(buffer.data(), n));
    if (n < buffer.size()) return hash.finish();
  }
}

Result<> verify(const std::string& url, const std::string& checksum, const std::string& actual) {
  const auto wanted = TRY_DOING(oci::Digest::parse(checksum), "--checksum");
  if (wanted.str() == actual) return {};
  return failf(Errc::corrupt, "{} is not what --checksum asks for\n  expected {}\n  actual   {}", url, wanted.str(), actual);
}

}  // namespace

SourceKind kind_of_source(std::string_view source) {
  if (is_git_url(source, false)) return SourceKind::git;
  return is_http(source) ? SourceKind::url : SourceKind::local;
}

std::string name_of_url(std::string_view url) {
  std::string path = percent_decoded(authority_and_path(url).second);
  while (path.ends_with('/')) path.pop_back();
  const std::string name = path.substr(path.find('/') == path.npos ? 0 : path.rfind('/') + 1);
  return name.empty() || name == "." || name == ".." || name.find('\0') != name.npos ? "__unnamed__" : name;
}

Secret authorization_for(std::string_view url, const std::vector<SecretSource>& secrets) {
  std::string_view host = authority_and_path(url).first;
  if (const auto at = host.rfind('@'); at != host.npos) host.remove_prefix(at + 1);
  Secret token;
  for (const SecretSource& secret : secrets) {
    if (secret.id == format("HTTP_AUTH_HEADER_{}", host)) return Secret(std::string(trim(secret.value.reveal())));
    if (secret.id == format("HTTP_AUTH_TOKEN_{}", host)) token = Secret("Bearer " + std::string(trim(secret.value.reveal())));
  }
  return token;
}

Result<SelectedSource> add_url(const std::string& url, const CopyOp& op, const Session& session, task::Cancel cancel) {
  const std::string shown = without_password(url);
  if (!session.download) return failf(Errc::unsupported, "fetching {}: this build cannot download", shown);
  const DownloadRequest request{
      .url = url, .into_folder = session.temporary, .authorization = authorization_for(url, session.secrets)};
  Download download;
  {
    const task::Blocking blocking(*session.pool);
    download = TRY_DOING(session.download(request, cancel), format("fetching {}", shown));
  }
  Node node{.path = name_of_url(url), .mode = 0600};
  const auto file = TRY(sys::open(download.path, O_PATH | O_NOFOLLOW));
  const auto stat = TRY(sys::stat_fd(file));
  node.size = static_cast<std::uint64_t>(stat.st_size);
  node.mtime_ns = download.last_modified.value_or(Timestamp{}).ns;
  node.digest = TRY(hash_file(download.path));
  node.source_dir = dir_name(download.path);
  node.source_path = base_name(download.path);
  const std::string digest = hex(*node.digest);
  if (!op.checksum.empty()) TRY(verify(shown, op.checksum, "sha256:" + digest));

  SelectedSource source;
  source.shown = source.root = node.path;
  source.unpack = op.unpack.value_or(false);
  // The time is Last-Modified's and so part of what is fetched, but as everywhere it decides nothing.
  source.parts.push_back({"file " + shown, digest, false});
  source.entries.push_back({std::move(node), false});
  return source;
}

Result<SelectedSource> add_git(const std::string& url, const CopyOp& op, const Session& session,
                               std::unique_ptr<SourceTree>& tree, task::Cancel cancel) {
  const ContextTools tools{
      .database = session.database, .pool = session.pool, .temporary = session.temporary, .download = session.download};
  GitTree fetched;
  {
    const task::Blocking blocking(*session.pool);
    fetched = TRY(fetch_git(url, op.keep_git_dir, op.checksum, tools, cancel));
  }
  Selection selection;
  TRY(select_source(*fetched.tree, "/", {.excludes = op.excludes}, selection, cancel));
  SelectedSource source = std::move(selection.at(0));
  source.parts.push_back({"git " + without_password(url), fetched.commit, false});
  tree = std::move(fetched.tree);
  return source;
}

}  // namespace mica::build
