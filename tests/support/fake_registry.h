/// A registry in memory that answers as the distribution spec says, except where a test's hook answers first. It wants no credentials,
/// a password, or tokens that it gives itself at /token.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"
#include "registry/client.h"
#include "registry/retry.h"
#include "support/http_server.h"

namespace mica::support {

/// Time that passes only by sleeping.
class FakeClock : public registry::Clock {
 public:
  std::int64_t monotonic_ms() const override { return ms_; }
  Timestamp now() const override { return {.ns = 1'700'000'000'000'000'000 + ms_ * 1'000'000}; }
  double chance() const override { return 0.5; }
  Result<> sleep(std::int64_t ms, const task::Cancel& cancel) const override {
    TRY(cancel.check());
    std::lock_guard lock(mutex_);
    slept_.push_back(ms);
    ms_ += ms;
    return {};
  }
  void pass(std::int64_t ms) { ms_ += ms; }
  std::vector<std::int64_t> slept() const {
    std::lock_guard lock(mutex_);
    return slept_;
  }

 private:
  mutable std::atomic<std::int64_t> ms_ = 1'000'000;
  mutable std::mutex mutex_;
  mutable std::vector<std::int64_t> slept_;
};

/// Bytes with a number of their own at each place, so that a piece in the wrong place shows.
inline std::string pattern(std::size_t size) {
  std::string out(size, 0);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>((i * 2654435761u) >> 13);
  return out;
}

/// What is sent, from memory; `made` is how much of it is there: -1 for size() until digest() is called.
class TextBlob : public registry::Replayable {
 public:
  explicit TextBlob(std::string bytes, bool is_growing = false) : bytes_(std::move(bytes)), growing_(is_growing) {}
  Result<std::unique_ptr<stream::Source>> from(std::int64_t offset) override {
    ++readers;
    return std::make_unique<stream::MemorySource>(bytes_.substr(static_cast<std::size_t>(offset)));
  }
  std::int64_t size() const override { return growing_ ? -1 : static_cast<std::int64_t>(bytes_.size()); }
  Result<oci::Digest> digest() override {
    growing_ = false;
    return oci::Digest::of(bytes_);
  }
  int readers = 0;

 private:
  std::string bytes_;
  bool growing_;
};

class FakeRegistry {
 public:
  enum class Auth { none, basic, bearer };
  using Hook = std::function<std::optional<bool>(const Received&, const Peer&)>;

  explicit FakeRegistry(Auth auth = Auth::none) : auth_(auth), server_([this](const Received& r, const Peer& p) { return answer(r, p); }) {}

  /// Asked first; what it answers itself is not answered again. Set before the first request.
  Hook hook;
  std::string user = "ada", password = "secret";
  std::string public_path;               ///< a repository that tokens are given for without a password
  std::string granted;                   ///< actions that tokens get whatever is asked; empty: as asked
  int expires_in = 300;
  std::string location_prefix;           ///< before the path of a Location; empty: a path only

  std::string address() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  registry::Endpoint endpoint(const std::string& path = "team/app") const {
    return {.scheme = "http", .address = address(), .host = address(), .path = path};
  }
  HttpServer& server() { return server_; }
  /// "GET /v2/team/app/manifests/1", in order.
  std::vector<std::string> seen() {
    std::vector<std::string> out;
    for (const auto& r : server_.requests()) out.push_back(r.method + " " + r.target);
    return out;
  }
  int count(const std::string& start) {
    int out = 0;
    for (const auto& line : seen()) out += line.starts_with(start);
    return out;
  }

  std::string add_blob(const std::string& bytes) {
    std::lock_guard lock(mutex_);
    const std::string digest = oci::Digest::of(bytes).str();
    blobs_[digest] = bytes;
    return digest;
  }
  void add_document(const std::string& tag, const std::string& bytes, const std::string& type = std::string(oci::kOciManifest)) {
    std::lock_guard lock(mutex_);
    documents_[tag] = documents_[oci::Digest::of(bytes).str()] = {type, bytes};
  }
  std::optional<std::string> blob(const std::string& digest) {
    std::lock_guard lock(mutex_);
    const auto found = blobs_.find(digest);
    return found == blobs_.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<std::string> document(const std::string& name) {
    std::lock_guard lock(mutex_);
    const auto found = documents_.find(name);
    return found == documents_.end() ? std::nullopt : std::optional(found->second.second);
  }
  std::size_t open_uploads() {
    std::lock_guard lock(mutex_);
    return uploads_.size();
  }
  /// As if part of a body had arrived before the connection broke.
  void append(const std::string& target, std::string_view bytes) {
    std::lock_guard lock(mutex_);
    uploads_[id_of(target)].append(bytes);
  }
  void forget_upload(const std::string& target) {
    std::lock_guard lock(mutex_);
    uploads_.erase(id_of(target));
  }
  /// No token given so far is taken any more.
  void revoke() {
    std::lock_guard lock(mutex_);
    tokens_.clear();
  }
  int tokens_given() const { return tokens_given_; }

  static std::string refusal(const std::string& code, const std::string& message) {
    return R"({"errors":[{"code":")" + code + R"(","message":")" + message + R"(","detail":null}]})";
  }

 private:
  static std::string id_of(const std::string& target) {
    const auto at = target.find("/uploads/");
    return target.substr(at + 9, target.find('?') == target.npos ? target.npos : target.find('?') - at - 9);
  }
  static std::string raw_parameter(const std::string& target, const std::string& name) {
    const auto at = target.find(name + "=");
    if (at == target.npos) return {};
    const auto start = at + name.size() + 1;
    return target.substr(start, target.find('&', start) - start);
  }
  static std::string parameter(const std::string& target, const std::string& name) {
    std::string out = raw_parameter(target, name);
    for (const auto& [code, text] : {std::pair{"%3A", ":"}, {"%2C", ","}, {"%2F", "/"}, {"%20", " "}}) out = replace_all(out, code, text);
    return out;
  }

  bool answer(const Received& r, const Peer& peer) {
    if (hook)
      if (const auto done = hook(r, peer)) return *done;
    std::lock_guard lock(mutex_);
    if (r.target.starts_with("/token")) return give_token(r, peer);
    if (!is_allowed(r)) return peer.reply(401, refusal("UNAUTHORIZED", "authentication required"), challenge(r));
    if (r.target == "/v2/") return peer.reply(200, "{}");
    if (r.target.find("/manifests/") != r.target.npos) return answer_manifest(r, peer);
    if (r.target.find("/blobs/uploads/") != r.target.npos) return answer_upload(r, peer);
    if (r.target.find("/blobs/") != r.target.npos) return answer_blob(r, peer);
    return peer.reply(404, "404 page not found", "Content-Type: text/plain\r\n");
  }

  // Tokens are "N/scope".
  bool is_allowed(const Received& r) {
    if (auth_ == Auth::none) return true;
    const std::string given = r.header("authorization");
    if (auth_ == Auth::basic) return given == "Basic " + base64(user + ":" + password);
    if (!given.starts_with("Bearer ") || !tokens_.contains(given.substr(7))) return false;
    const bool writes = r.method != "GET" && r.method != "HEAD";
    const std::string scope = given.substr(7);
    return r.target == "/v2/" || !writes || scope.find("push") != scope.npos;
  }
  std::string challenge(const Received& r) const {
    if (auth_ == Auth::basic) return "WWW-Authenticate: Basic realm=\"test, realm\"\r\n";
    const bool writes = r.method != "GET" && r.method != "HEAD";
    return "Www-authenticate: Bearer realm=\"" + server_.url("/token?x=1") + "\",service=\"the service\",scope=\"repository:team/app:" + (writes ? "pull,push" : "pull") +
           "\"\r\n";
  }
  bool give_token(const Received& r, const Peer& peer) {
    const bool known = r.header("authorization") == "Basic " + base64(user + ":" + password) || r.body.find("refresh_token=identity") != r.body.npos;
    if (!known && (r.header("authorization") != "" || r.method == "POST")) return peer.reply(401, refusal("UNAUTHORIZED", "wrong password"));
    const std::string scope = parameter(r.method == "POST" ? r.body : r.target, "scope");
    if (!known && (public_path.empty() || scope.find(":" + public_path + ":") == scope.npos)) return peer.reply(401, refusal("UNAUTHORIZED", "no anonymous tokens"));
    const std::string token = std::to_string(++tokens_given_) + "/" + (granted.empty() ? scope : granted);
    tokens_.insert(token);
    const bool offline = r.target.find("offline_token=true") != r.target.npos;
    return peer.reply(200, "{\"token\":\"" + token + "\",\"expires_in\":" + std::to_string(expires_in) + (offline ? ",\"refresh_token\":\"identity\"" : "") + "}");
  }

  bool answer_manifest(const Received& r, const Peer& peer) {
    const std::string name = r.target.substr(r.target.rfind('/') + 1);
    if (r.method == "PUT") {
      const std::string digest = oci::Digest::of(r.body).str();
      documents_[name] = documents_[digest] = {r.header("content-type"), r.body};
      return peer.reply(201, "", "Docker-Content-Digest: " + digest + "\r\n");
    }
    if (r.method == "DELETE") return peer.reply(documents_.erase(name) ? 202 : 404, "");
    const auto found = documents_.find(name);
    if (found == documents_.end()) return peer.reply(404, r.method == "HEAD" ? "" : refusal("MANIFEST_UNKNOWN", "manifest unknown"));
    const std::string headers = "Content-Type: " + found->second.first + "; charset=utf-8\r\nDocker-Content-Digest: " + oci::Digest::of(found->second.second).str() + "\r\n";
    return send(r, peer, 200, found->second.second, headers);
  }

  bool answer_blob(const Received& r, const Peer& peer) {
    const auto found = blobs_.find(r.target.substr(r.target.rfind('/') + 1));
    if (found == blobs_.end()) return peer.reply(404, r.method == "HEAD" ? "" : refusal("BLOB_UNKNOWN", "blob unknown to registry"));
    const std::string& bytes = found->second;
    std::string range = r.header("range");
    if (range.empty()) return send(r, peer, 200, bytes, "Accept-Ranges: bytes\r\n");
    range = range.substr(6);
    const auto first = static_cast<std::size_t>(parse_int(range.substr(0, range.find('-'))).value_or(0));
    const auto last = std::min<std::size_t>(bytes.size() - 1, static_cast<std::size_t>(parse_int(range.substr(range.find('-') + 1)).value_or(static_cast<std::int64_t>(bytes.size()))));
    if (first >= bytes.size()) return peer.reply(416, "");
    return send(r, peer, 206, bytes.substr(first, last - first + 1), mica::format("Content-Range: bytes {}-{}/{}\r\n", first, last, bytes.size()));
  }

  bool answer_upload(const Received& r, const Peer& peer) {
    const std::string repository = r.target.substr(4, r.target.find("/blobs/") - 4);
    if (r.method == "POST") {
      if (const std::string mount = parameter(r.target, "mount"); blobs_.contains(mount))
        return peer.reply(201, "", "Location: /v2/" + repository + "/blobs/" + mount + "\r\nDocker-Content-Digest: " + mount + "\r\n");
      const std::string id = "u" + std::to_string(++uploads_opened_);
      uploads_[id];
      return peer.reply(202, "", location(repository, id));
    }
    const std::string id = id_of(r.target);
    const auto found = uploads_.find(id);
    if (found == uploads_.end()) return peer.reply(404, refusal("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"));
    std::string& bytes = found->second;
    if (r.method == "DELETE") {
      uploads_.erase(found);
      return peer.reply(204, "");
    }
    // The state in the address is the newest only.
    if (r.method != "GET" && raw_parameter(r.target, "_state") != state_of(bytes)) return peer.reply(400, refusal("BLOB_UPLOAD_INVALID", "stale state"));
    if (r.method == "GET") return peer.send("HTTP/1.1 204 No\r\n" + location(repository, id) + range_of(bytes) + "\r\n");
    if (const std::string range = r.header("content-range"); !range.empty() && range.substr(0, range.find('-')) != std::to_string(bytes.size())) return peer.reply(416, "");
    bytes += r.body;
    if (r.method == "PATCH") return peer.reply(202, "", location(repository, id) + range_of(bytes));
    const std::string digest = parameter(r.target, "digest");
    if (oci::Digest::of(bytes).str() != digest) {
      uploads_.erase(found);
      return peer.reply(400, refusal("DIGEST_INVALID", "provided digest did not match uploaded content"));
    }
    blobs_[digest] = bytes;
    uploads_.erase(found);
    return peer.reply(201, "", "Location: /v2/" + repository + "/blobs/" + digest + "\r\nDocker-Content-Digest: " + digest + "\r\n");
  }
  // With characters that must come back as they are.
  static std::string state_of(const std::string& bytes) { return "a%2Bb%3D%2F" + std::to_string(bytes.size()) + "=="; }
  std::string location(const std::string& repository, const std::string& id) const {
    return "Location: " + location_prefix + "/v2/" + repository + "/blobs/uploads/" + id + "?_state=" + state_of(uploads_.at(id)) + "\r\n";
  }
  static std::string range_of(const std::string& bytes) { return "Range: 0-" + std::to_string(bytes.empty() ? 0 : bytes.size() - 1) + "\r\n"; }

  static bool send(const Received& r, const Peer& peer, int status, const std::string& bytes, const std::string& headers) {
    if (r.method != "HEAD") return peer.reply(status, bytes, headers);
    return peer.send("HTTP/1.1 " + std::to_string(status) + " Text\r\nContent-Length: " + std::to_string(bytes.size()) + "\r\n" + headers + "\r\n");
  }

  Auth auth_;
  std::mutex mutex_;
  std::map<std::string, std::string> blobs_, uploads_;
  std::map<std::string, std::pair<std::string, std::string>> documents_;
  std::set<std::string> tokens_;
  std::atomic<int> tokens_given_ = 0, uploads_opened_ = 0;
  HttpServer server_;                    // last: its threads use the rest
};

}  // namespace mica::support
