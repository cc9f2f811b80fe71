#include "registry/upload_location.h"

#include "base/text.h"
#include "http/location.h"

namespace mica::registry {
namespace {

constexpr std::int64_t kMaxOffset = std::int64_t{1} << 53;   // more than any blob has
constexpr std::string_view kPlain = "http://", kSecure = "https://";

std::string_view host_of(std::string_view authority) { return authority.substr(0, authority.rfind(':')); }

}  // namespace

std::string upload_url(const std::string& asked, const std::string& location) {
  const std::string url = http::resolve(asked, location);
  if (!asked.starts_with(kSecure) || !url.starts_with(kPlain)) return url;
  const std::string from = http::authority(asked), to = http::authority(url);
  // The port is the one asked, or was left out.
  if (host_of(from) != host_of(to) || (from != to && !to.ends_with(":80"))) return url;
  const auto path = url.find('/', kPlain.size());
  return http::resolve(asked, path == url.npos ? "/" : url.substr(path));
}

std::string location_of(const Reply& reply) {
  const std::string location = reply.response.header("location");
  return location.empty() ? location : upload_url(reply.asked_url, location);
}

std::string with_digest(const std::string& url, const oci::Digest& digest) {
  const bool ready = url.ends_with('?') || url.ends_with('&');
  return url + (ready ? "" : url.find('?') == url.npos ? "?" : "&") + "digest=sha256%3A" + digest.hex();
}

std::optional<std::int64_t> accepted_bytes(std::string_view range) {
  range = trim(range);
  if (range.starts_with("bytes=") || range.starts_with("bytes ")) range.remove_prefix(6);
  const auto ends = split_once(range, '-');
  if (!ends) return std::nullopt;
  const auto first = parse_int(ends->first), last = parse_int(ends->second);
  if (!first || !last || *first != 0 || *last < 0 || *last > kMaxOffset) return std::nullopt;
  return *last == 0 ? 0 : *last + 1;
}

}  // namespace mica::registry
