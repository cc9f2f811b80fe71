/// What a server said, as an Error that helps: its words escaped, the host asked, whose account was used and where that came from, what to do.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/client.h"
#include "registry/credentials.h"
#include "registry/hosts.h"

namespace mica::registry {

/// The body of a refusal: {"errors":[{"code","message","detail"}]} of the distribution spec, or {"details"|"message"|"error"} of token services.
struct Refusal {
  struct Item {
    std::string code, message, detail;
  };
  std::vector<Item> items;
  std::string text;                      ///< "manifest unknown: tag x is not there"; empty when the body says nothing that can be read
  bool has(std::string_view code) const;
};
Refusal parse_refusal(std::string_view body);

/// Who asked, for messages.
struct Asker {
  Credential account;
  std::string trouble;                   ///< why the credentials could not be read (a helper that is broken), or empty
  std::string looked_up;                 ///< the host for which credentials were looked up
  std::vector<std::string> others;       ///< hosts with an entry, when there was none for this
  bool asked_for = false;                ///< the server asked for credentials at all
};
/// "anonymously", "as bob, from /root/.docker/config.json".
std::string account_words(const Asker& asker);

struct Answered {
  int status = 0;
  const http::Response& response;
  std::string_view body;                 ///< of the refusal
  std::string host;                      ///< as the user knows it, with "(mirror)" when it is one
  std::string doing;                     ///< "reading manifest of example.com/app:1"
};
/// Errors by status and code: not_found, unauthorized, permission_denied, unavailable, unsupported, resource_exhausted, conflict, invalid_argument.
Error refused(const Answered& answered, const Asker& asker);

/// Why no answer came: adds to libcurl's words what section 13 of the protocol notes wants (plain HTTP behind an https address, certificates
/// with subject, issuer and folders, proxies).
Error unreachable(Error error, const http::Failure& failure, const Endpoint& endpoint, const std::vector<std::string>& certificate_folders);

/// Control characters, direction marks and bytes that are not UTF-8 as escapes; cut after `limit` bytes. For text of servers in messages.
std::string printable(std::string_view text, std::size_t limit = 400);

}  // namespace mica::registry
