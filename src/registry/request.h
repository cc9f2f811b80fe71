/// One request of the protocol: address, credentials, scheme, redirects, repetition.
///
/// Vocabulary: a *session* is what one process knows of all hosts (tokens, challenges, which of http and https a host speaks, how it takes
/// uploads); a *place* is one endpoint of one repository; a *call* is a request that may be sent several times.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "http/client.h"
#include "registry/challenge.h"
#include "registry/client.h"
#include "registry/errors.h"
#include "registry/hosts.h"
#include "registry/retry.h"
#include "registry/scopes.h"
#include "registry/tokens.h"

namespace mica::registry {

/// How a host takes blobs: found out once.
struct UploadStyle {
  bool no_patch = false, no_put = false;       ///< refuses POST+PATCH+PUT, POST+PUT with a body
  bool no_chunked = false;                     ///< 411: wants to know sizes beforehand
  bool small_chunks = false;                   ///< 413: wants big blobs in pieces
};

class Session {
 public:
  Session(http::Client& http, Hosts hosts, Credentials credentials, ClientOptions options, const Clock& clock);
  Session(const Session&) = delete;

  http::Client& http;
  const Hosts hosts;
  const Credentials credentials;
  const ClientOptions options;
  const Clock& clock;
  std::atomic<std::int64_t> requests = 0, bytes_received = 0, bytes_sent = 0;
  Tokens tokens;

  void remark(const std::string& line) const;
  /// The account for `host` and repository; looked up once, whatever comes of it.
  const Asker& asker(const std::string& host, const std::string& path);
  /// Uses `account` for it, whatever is stored, and asks token services for an identity token too: a login.
  void log_in(const std::string& host, Credential account);
  /// What a token service gave for it; empty: nothing.
  Secret identity_token();
  void keep_identity_token(const Secret& token);
  bool is_login() const { return login_; }
  /// Headers that a server wants the user to see (RFC 9111's Warning, code 299): each text once.
  void note_warnings(const http::Response& response, const std::string& host);

  /// By origin of the host: "https://example.com:5000".
  std::optional<Challenge> challenge(const std::string& origin);
  void remember(const std::string& origin, const Challenge& challenge);
  /// "http" or "https" once the host at `address` has answered that way.
  std::string known_scheme(const std::string& address);
  void remember_scheme(const std::string& address, const std::string& scheme);
  UploadStyle style(const std::string& address);
  void change_style(const std::string& address, const std::function<void(UploadStyle&)>& change);
  /// Mirrors that did not answer are not waited for again.
  bool is_passed_over(const std::string& address);
  void pass_over(const std::string& address);

 private:
  struct Memory {
    std::map<std::string, Challenge> challenges;
    std::map<std::string, std::string> schemes;
    std::map<std::string, UploadStyle> styles;
    std::set<std::string> warnings, passed_over;
    Secret identity_token;
  };
  Guarded<Memory> memory_;
  std::mutex asking_;                          // credential helpers may ask the user: one at a time
  std::map<std::string, Asker> askers_;        // under asking_; nodes stay where they are
  bool login_ = false;                         // set before the first request
};

/// A request that can be sent any number of times.
struct Call {
  std::string method = "GET";
  std::string path;                            ///< behind the repository's own URL: "/manifests/1.0"
  std::string url;                             ///< absolute, instead: an upload session, a next page
  http::Headers headers;
  std::function<Result<std::unique_ptr<stream::Source>>()> body;   ///< a new one for each time; empty: none
  std::int64_t body_size = 0;                  ///< -1: not known beforehand
  stream::Sink* sink = nullptr;                ///< for the body of a success; else `limit` bytes go to Reply::body
  std::size_t limit = 1 << 20;
  std::function<Result<>(const http::Response&)> on_headers;
  /// A body that has been begun is not sent again by itself when the credentials were refused meanwhile: part of it may count already.
  bool body_once = false;
  std::vector<int> expected = {200};           ///< other statuses are errors of ask()
  std::string doing;                           ///< "reading manifest of example.com/app:1"
  std::int64_t answer_timeout_s = 0;
  bool courtesy = false;                       ///< not worth waiting for: short limits, no new token
  Scopes more;                                 ///< beside the repository's own
};

struct Reply {
  int status = 0;
  http::Response response;
  std::string body;                            ///< of a success without sink, else of the refusal
  std::string asked_url;                       ///< before redirects: what Location and Link are relative to
  std::int64_t sent = 0;                       ///< bytes of the body that were read
};

/// What came of sending a call once.
struct Attempt {
  std::optional<Reply> reply;                  ///< any status
  std::optional<Error> error;                  ///< when there is no reply
  bool passing = false;                        ///< repeating may help
  std::int64_t sent = 0;
  bool renewed = false;                        ///< call.body_once: new credentials are there, the next try need not wait
};

class Place {
 public:
  Place(Session& session, Endpoint endpoint, std::string reference, Access access);

  /// Sends it once, not counting what is needed for that: a token, the other scheme, a redirect with its body.
  Attempt attempt(const Call& call, const task::Cancel& cancel);
  /// Sends it until it is answered with one of call.expected. Errors: those of refused() and unreachable().
  Result<Reply> ask(const Call& call, const task::Cancel& cancel);
  /// The error for a status that is not expected.
  Error refusal(const Call& call, const Reply& reply);
  Retry retry() const;
  /// Milliseconds that the server asks to wait.
  std::optional<std::int64_t> wait_asked(const Reply& reply) const;
  /// For a remark: "example.com: reading manifest ...".
  std::string what(const Call& call) const;

  Session& session() const { return session_; }
  const Endpoint& endpoint() const { return endpoint_; }
  const std::string& reference() const { return reference_; }
  /// "example.com" or "mirror.example (mirror)".
  std::string name() const;
  bool is_reliable() const { return !endpoint_.mirror; }
  std::string shown_path() const;              ///< "host/path", as in Document::from

 private:
  struct Authorization {
    std::string header;                        ///< empty: none
    std::optional<TokenQuestion> question;     ///< when it is a token that was fetched
    Token token;
    Scopes scopes;
    bool basic = false;
  };
  std::string origin(const std::string& scheme) const;
  std::string url_of(const Call& call, const std::string& scheme) const;
  bool is_own(const std::string& url) const;
  Result<Authorization> authorize(const std::string& scheme, const Call& call, const task::Cancel& cancel);
  /// What the challenge of `reply` changes for the next try; false: nothing, the answer stands.
  bool answer_challenge(const Reply& reply, const std::string& scheme, const Authorization& used, bool& renewed, bool& widened);
  Attempt send(const Call& call, const std::string& url, const std::string& authorization, bool guess, http::Failure& failure, const task::Cancel& cancel);
  bool may_change_scheme(const http::Failure& failure, const std::string& scheme, const std::string& url) const;

  Session& session_;
  Endpoint endpoint_;
  std::string reference_;                      // without tag, for messages
  Scopes own_;
  std::atomic<int> silent_ = 0;                // connections in a row that timed out
  Guarded<Scopes> wider_;                      // what challenges asked for beyond that
};

}  // namespace mica::registry
