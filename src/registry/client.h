/// The distribution protocol (OCI Distribution Spec v1.1, docker's token authentication) as a client.
///
/// Every request, of whatever kind, goes through one path: credentials (challenge, token, renewed when refused), repetition with back-off,
/// the next mirror. Vocabulary: a *repository* is a name at a registry together with the places that serve it; a *document* is a manifest
/// or index with its exact bytes.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "http/client.h"
#include "oci/image.h"
#include "oci/reference.h"
#include "registry/credentials.h"
#include "registry/hosts.h"
#include "stream/stream.h"
#include "task/task.h"

namespace mica::registry {

enum class Access { pull, push };

/// A manifest or index as it came, byte for byte.
struct Document {
  std::string media_type;
  oci::Digest digest;                    ///< of `bytes`, computed here
  std::string bytes;
  std::string from;                      ///< "host/path" that gave it: not the reference's own when a mirror did
};

/// Bytes that can be read again from any offset, possibly while they are still being made.
class Replayable {
 public:
  virtual ~Replayable() = default;
  /// Everything from `offset` on; its end is the end of the blob. Several may be read in turn.
  virtual Result<std::unique_ptr<stream::Source>> from(std::int64_t offset) = 0;
  /// -1 while it is not known.
  virtual std::int64_t size() const = 0;
  /// Waits until all bytes are made; then size() is known too.
  virtual Result<oci::Digest> digest() = 0;
};

struct Uploaded {
  enum class How { existed, mounted, sent } how = How::sent;
  std::string mounted_from;              ///< repository path
  oci::Digest digest;
  std::int64_t size = 0;
};

struct Referrer {
  oci::Descriptor descriptor;
  std::string artifact_type;
};

struct ClientOptions {
  /// A line for the user: a repetition with its reason and delay, a server's Warning, a mirror that was passed over. Any thread.
  std::function<void(std::string)> remark;
  int attempts = 5;                      ///< of one request without progress
  std::int64_t first_delay_ms = 500;     ///< doubled each time, with jitter, at most 30 s; Retry-After goes first
  std::int64_t patience_ms = 60'000;     ///< a Retry-After beyond this ends the work at once
  std::int64_t stall_timeout_s = 30;     ///< no byte for so long
};

/// What one process did, for tests and the curious (`MICA_LOG=debug`).
struct Traffic {
  std::int64_t requests = 0, bytes_received = 0, bytes_sent = 0;   ///< bytes of bodies
};

class Clock;
class Repository;

/// Thread-safe. Tokens are shared: one request for each realm, service, account and scope.
class Client {
 public:
  /// `clock` (null: the system's) and `http` must outlive it.
  Client(http::Client& http, Hosts hosts, Credentials credentials, ClientOptions options = {}, const Clock* clock = nullptr);
  ~Client();
  /// The places of `name`'s repository. No request is made yet. The client must outlive the repository.
  /// Errors: those of Hosts.
  Result<Repository> open(const oci::Reference& name, Access access);
  /// The same at places that the caller knows: at least one, in order of trying.
  Repository open(const oci::Reference& name, Access access, std::vector<Endpoint> places);
  /// Tries `credential` at the registry: what login verifies. Returns it as it should be stored: with the identity token instead of the
  /// password when the token service gives one. Errors: unauthorized (the registry's words), unavailable.
  Result<Credential> check_login(const std::string& host, const Credential& credential, task::Cancel cancel);
  Traffic traffic() const;
  const Hosts& hosts() const;
  const Credentials& credentials() const;

 private:
  std::shared_ptr<class Session> session_;
};

/// Every error names the reference and the host that was asked, with the registry's own words (control characters escaped), and what to do:
/// unauthorized and permission_denied say which account was used, from which file. Methods that take a reference use its digest when it has one, else
/// its tag; registry and path are the repository's own.
class Repository {
 public:
  /// The document's descriptor by HEAD (GET where HEAD is refused or lacks the digest). Errors: not_found, unauthorized, permission_denied,
  /// unavailable, cancelled.
  Result<oci::Descriptor> resolve(const oci::Reference& what, task::Cancel cancel) const;
  /// Errors: as resolve; corrupt (digest, media type against body); resource_exhausted (over 8 MiB); unsupported (schema 1).
  Result<Document> document(const oci::Reference& what, task::Cancel cancel) const;
  /// Writes the bytes [from, from + length) of the blob to `to` (length -1: to the end), in order, each once, whatever connections break
  /// on the way. Not verified against the digest: the caller has the earlier bytes. `accept` (may be null) gets the status line's facts
  /// before the first byte: whether the server answers ranges. Errors: as resolve; corrupt (longer or shorter than the descriptor says).
  Result<> read_blob(const oci::Descriptor& blob, std::int64_t from, std::int64_t length, stream::Sink& to, task::Cancel cancel,
                     const std::function<void(bool ranges)>& accept = {}) const;
  /// The bytes of `digest` that came were not what it names. True: a mirror gave them; it will not be asked again for anything here, so
  /// reading once more may help. False: the registry itself did, or nothing has been read.
  bool distrust(const oci::Digest& digest) const;
  /// A small blob (a config), verified. Errors: as read_blob; corrupt (digest); resource_exhausted (beyond `limit`).
  Result<std::string> read_small(const oci::Descriptor& blob, std::size_t limit, task::Cancel cancel) const;
  /// Its size when the repository has it.
  Result<std::optional<std::int64_t>> has_blob(const oci::Digest& digest, task::Cancel cancel) const;
  /// Puts a blob there, by the cheapest way: it is there (`known` not empty: HEAD), it is mounted from one of `mount_from` (paths at the
  /// same registry; at most two are tried), or it is sent, while `body` may still be growing: in one PUT when size and digest are known and small,
  /// else by PATCH and PUT; resumed at the offset that the registry reports; by the other style where one is refused.
  /// `progress` (may be null) gets bytes sent so far. On an error the upload session is cancelled.
  Result<Uploaded> upload(const oci::Digest& known, Replayable& body, const std::vector<std::string>& mount_from, task::Cancel cancel,
                          const std::function<void(std::int64_t)>& progress = {}) const;
  /// Tries only to mount `digest`; false: not possible (the session that was opened instead is cancelled).
  Result<bool> mount(const oci::Digest& digest, const std::string& from_path, task::Cancel cancel) const;
  /// Puts bytes as they are under a tag or (what.digest) their digest. Keeps the fallback tag of referrers where the registry
  /// does not answer OCI-Subject for a document with a subject. Errors: as resolve; corrupt (the registry stored another digest).
  Result<oci::Digest> put_document(const oci::Reference& what, std::string_view media_type, std::string_view bytes, task::Cancel cancel) const;
  /// All tags, in the registry's order.
  Result<std::vector<std::string>> tags(task::Cancel cancel) const;
  /// Documents that name `subject`; by the referrers API, else by the fallback tag. `artifact_type` empty: all.
  Result<std::vector<Referrer>> referrers(const oci::Digest& subject, const std::string& artifact_type, task::Cancel cancel) const;
  Result<> remove(const oci::Reference& what, task::Cancel cancel) const;

  const std::string& registry() const;   ///< of the reference: "docker.io"
  const std::string& path() const;

 private:
  friend class Client;
  struct State;
  explicit Repository(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace mica::registry
