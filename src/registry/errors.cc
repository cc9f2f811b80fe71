#include "registry/errors.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "base/utf8.h"
#include "http/location.h"
#include "json/json.h"
#include "registry/limits.h"

namespace mica::registry {
namespace {

bool is_odd(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || c == 0x061c || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
         c == 0xfeff;
}

std::string detail_text(const json::Value& item) {
  const json::Value* detail = item.find("detail");
  if (!detail || detail->is_null()) return {};
  std::string text = detail->is_string() ? detail->as_string() : json::write(*detail);
  // A short detail says which name is missing; a long one is a page of the server's own.
  if (text == "{}" || text == "[]" || text.size() > kMaxQuotedText / 2) return {};
  return text;
}

/// "MANIFEST_UNKNOWN" as "manifest unknown", which is what scripts look for.
std::string code_words(std::string_view code) { return replace_all(to_lower(code), "_", " "); }

std::string item_text(const Refusal::Item& item) {
  std::string out = code_words(item.code);
  if (!item.message.empty() && !equals_ignoring_case(item.message, out)) out += (out.empty() ? "" : ": ") + item.message;
  if (!item.detail.empty()) out += format(" ({})", item.detail);
  return printable(out, kMaxQuotedText);
}

std::string first_line(std::string_view body) {
  for (std::string_view line : split(body.substr(0, 4096), '\n')) {
    line = trim(line);
    if (!line.empty()) return printable(line, 120);
  }
  return {};
}

/// Of an answer that is no registry's: who may have given it.
std::string stranger_words(const Answered& answered) {
  std::string out = format("status {}", answered.status);
  for (const auto& [name, label] : {std::pair{"content-type", "type"}, {"server", "server"}, {"via", "via"}})
    if (const std::string value = answered.response.header(name); !value.empty()) out += format(", {} {}", label, printable(value, 100));
  if (const std::string line = first_line(answered.body); !line.empty()) out += format(": {}", line);
  return out;
}

Errc code_of(int status, const Refusal& refusal) {
  if (refusal.has("TOOMANYREQUESTS")) return Errc::unavailable;
  if (refusal.has("UNAUTHORIZED") && (status == 401 || status == 403)) return Errc::unauthorized;
  if (refusal.has("DENIED") && (status == 401 || status == 403)) return Errc::permission_denied;
  switch (status) {
    case 401: return Errc::unauthorized;
    case 403: return Errc::permission_denied;
    case 404:
    case 410: return Errc::not_found;
    case 405:
    case 406:
    case 415:
    case 501: return Errc::unsupported;
    case 407: return Errc::permission_denied;
    case 409: return Errc::conflict;
    case 413: return Errc::resource_exhausted;
    default: return status >= 500 || status == 408 || status == 429 || status == 499 ? Errc::unavailable : Errc::invalid_argument;
  }
}

std::string access_hint(const Asker& asker) {
  const std::string login = format("`mica login {}`", asker.looked_up);
  if (!asker.trouble.empty()) return format("the credentials could not be read: {}", asker.trouble);
  if (asker.account.anonymous()) {
    std::string out = format("the repository does not exist or is private: check its name, or {}", login);
    if (!asker.others.empty()) out += format("; there are credentials for {}", join(asker.others, ", "));
    return out;
  }
  const std::string who = asker.account.user.empty() ? "this account" : printable(asker.account.user, 100);
  return format("the repository does not exist, or {} may not do this: check its name, {} with another account, or `mica logout {}` to ask anonymously", who, login,
                asker.looked_up);
}

std::string limit_words(const http::Response& response) {
  std::string out;
  for (const char* name : {"ratelimit-limit", "ratelimit-remaining", "docker-ratelimit-source"})
    if (const std::string value = response.header(name); !value.empty()) out += format("{}{} {}", out.empty() ? " (" : ", ", name, printable(value, 100));
  return out.empty() ? out : out + ")";
}

std::string http_words(const Endpoint& endpoint) {
  return format("to allow plain HTTP add {} to \"insecure-registries\" in /etc/docker/daemon.json, or set insecure = true for it in /etc/containers/registries.conf",
                endpoint.address);
}

std::string certificate_words(const http::Failure& failure) {
  std::string out;
  const auto add = [&](const char* label, const std::string& value) {
    if (!value.empty()) out += format("{}{} {}", out.empty() ? " (" : ", ", label, printable(value, 200));
  };
  add("subject", failure.subject);
  add("issuer", failure.issuer);
  if (failure.kind == http::Failure::Kind::expired) {
    add("valid from", failure.valid_from);
    add("until", failure.valid_until);
  }
  return out.empty() ? out : out + ")";
}

}  // namespace

bool Refusal::has(std::string_view code) const {
  return std::ranges::any_of(items, [&](const Item& item) { return item.code == code; });
}

Refusal parse_refusal(std::string_view body) {
  Refusal out;
  if (trim(body).empty()) return out;
  const auto value = json::parse(body, {.depth = 50, .values = 100'000});
  if (!value || !value->is_object()) return out;
  if (const json::Value* errors = value->find("errors"); errors && errors->is_array())
    for (const json::Value& item : errors->as_array())
      if (item.is_object() && out.items.size() < 20) out.items.push_back({item.string_or("code"), item.string_or("message"), detail_text(item)});
  for (const Refusal::Item& item : out.items)
    if (const std::string text = item_text(item); !text.empty() && out.text.find(text) == out.text.npos) out.text += (out.text.empty() ? "" : "; ") + text;
  if (!out.text.empty()) return out;
  for (const char* name : {"error_description", "details", "message", "error"})
    if (const std::string text = value->string_or(name); !text.empty() && out.text.empty()) out.text = printable(text, kMaxQuotedText);
  return out;
}

std::string account_words(const Asker& asker) {
  if (asker.account.anonymous()) return "anonymously";
  std::string out = asker.account.user.empty() ? std::string("with a token") : format("as {}", printable(asker.account.user, 100));
  if (!asker.account.source.empty()) out += format(", from {}", asker.account.source);
  return out;
}

Error refused(const Answered& answered, const Asker& asker) {
  const Refusal refusal = parse_refusal(answered.body);
  const int status = answered.status;
  const bool read_without_body = answered.body.empty();
  std::string words = refusal.text;
  if (words.empty()) {
    if (status == 401) words = "unauthorized";
    else if (status == 403) words = "denied";
    else if (status == 404) words = "not found";
    else if (status == 429) words = "toomanyrequests";
  }
  const bool foreign = refusal.text.empty() && !read_without_body;
  Errc code = code_of(status, refusal);
  std::string text = answered.host;
  if (words.empty() || foreign) text += format(" answered with {}", stranger_words(answered));
  else if (status >= 500) text += format(" answered with status {}: {}", status, words);
  else text += format(" says: {}", words);
  if (status == 401 || status == 403) text += format(" (asked {})", account_words(asker));
  if (status == 429) text += format("{} (asked {})", limit_words(answered.response), account_words(asker));
  Error error(code, std::move(text));
  if (status == 401 || status == 403) error = std::move(error).with_hint(access_hint(asker));
  else if (status == 407) error = std::move(error).with_hint("the proxy asks for credentials: put them into the proxy's URL, http://user:password@proxy:port");
  else if (status == 413) error = std::move(error).with_hint("something between here and the registry limits the size of a request: raise that limit there");
  else if (foreign && status < 500) error = std::move(error).with_hint(format("{} does not look like a registry", printable(http::without_query(answered.response.final_url), 200)));
  return std::move(error).doing(answered.doing);
}

Error unreachable(Error error, const http::Failure& failure, const Endpoint& endpoint, const std::vector<std::string>& certificate_folders) {
  using Kind = http::Failure::Kind;
  switch (failure.kind) {
    case Kind::not_tls:
      return Error(Errc::unavailable, format("{} answered plain HTTP where HTTPS was asked for: {}", endpoint.address, error.text())).with_hint(http_words(endpoint));
    case Kind::untrusted: {
      std::string hint = "the certificate is signed by nobody that is trusted here";
      if (!certificate_folders.empty()) hint += format(": put the CA's certificate in {}/ca.crt", certificate_folders.front());
      if (certificate_folders.size() > 1)
        hint += format(" (also looked in {})", join(std::vector<std::string>(certificate_folders.begin() + 1, certificate_folders.end()), ", "));
      return Error(Errc::permission_denied, format("certificate of {} signed by unknown authority{}: {}", endpoint.address, certificate_words(failure), error.text()))
          .with_hint(std::move(hint));
    }
    case Kind::wrong_host:
      return Error(Errc::permission_denied, format("certificate is not for {}{}: {}", endpoint.address, certificate_words(failure), error.text()))
          .with_hint("use a name that the certificate is for, or have one made that names this host");
    case Kind::expired:
      return Error(Errc::permission_denied, format("certificate of {} is not valid now{}: {}", endpoint.address, certificate_words(failure), error.text()))
          .with_hint("renew the server's certificate; check this machine's clock");
    case Kind::client_certificate: {
      std::string hint = endpoint.client_cert.empty() ? "it asks for a client certificate" : format("it refuses the client certificate {}", endpoint.client_cert);
      if (endpoint.client_cert.empty() && !certificate_folders.empty()) hint += format(": put client.cert and client.key in {}", certificate_folders.front());
      return Error(Errc::permission_denied, format("{} ended the handshake: {}", endpoint.address, error.text())).with_hint(std::move(hint));
    }
    case Kind::proxy:
      return std::move(error).with_hint("the proxy of HTTPS_PROXY or HTTP_PROXY refused: check its address and credentials, or list the host in NO_PROXY");
    case Kind::connect:
      if (failure.proxy.empty()) return error;
      return Error(error.code(), format("the proxy {} cannot be reached: {}", failure.proxy, error.text()))
          .with_hint("it is set by HTTPS_PROXY or HTTP_PROXY: check it, or list the registry's host in NO_PROXY");
    default: return error;
  }
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  while (!text.empty() && out.size() < limit) {
    const CodePoint point = first_code_point(text);
    if (point.length == 0 || (is_odd(point.value) && point.value < 0x80)) {
      out += format("\\x{:02x}", static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
      continue;
    }
    if (is_odd(point.value)) out += format("\\u{:04x}", point.value);
    else out += text.substr(0, static_cast<std::size_t>(point.length));
    text.remove_prefix(static_cast<std::size_t>(point.length));
  }
  if (!text.empty()) out += "...";
  return out;
}

}  // namespace mica::registry
