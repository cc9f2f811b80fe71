// Lists that come in pages: tags and referrers.
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "http/location.h"
#include "json/json.h"
#include "registry/limits.h"
#include "registry/referrers_tag.h"
#include "registry/repository.h"

namespace mica::registry {
namespace {

/// Reads page after page until there is no next one. `take` gets each page.
Result<> read_pages(Place& place, Call call, const std::function<Result<>(const json::Value&, const Reply&)>& take, const task::Cancel& cancel) {
  std::set<std::string> seen;
  while (true) {
    const Reply reply = TRY(place.ask(call, cancel));
    const auto page = TRY_DOING(json::parse(reply.body), call.doing);
    TRY_DOING(take(page, reply), call.doing);
    std::string next = next_page(reply);
    if (next.empty()) return {};
    if (!http::same_origin(next, reply.asked_url)) return fail(Error(Errc::corrupt, format("{} continues its list at another host", place.name())).doing(call.doing));
    if (!seen.insert(next).second || seen.size() > kMaxPages) return fail(Error(Errc::corrupt, format("the list of {} has no end", place.name())).doing(call.doing));
    call.url = std::move(next);
  }
}

}  // namespace

std::string next_page(const Reply& reply) {
  for (const auto& [name, value] : reply.response.headers) {
    if (name != "link") continue;
    // <target>; rel="next", <target>; ...
    for (std::size_t at = 0; (at = value.find('<', at)) != value.npos;) {
      const auto close = value.find('>', at);
      if (close == value.npos) break;
      const auto end = value.find('<', close);
      const std::string parameters = to_lower(std::string_view(value).substr(close, end == value.npos ? end : end - close));
      if (parameters.find("rel=\"next\"") != parameters.npos || parameters.find("rel=next") != parameters.npos)
        return http::resolve(reply.asked_url, std::string_view(value).substr(at + 1, close - at - 1));
      at = close;
    }
  }
  return {};
}

Result<std::vector<std::string>> Repository::tags(task::Cancel cancel) const {
  const Call call{.path = "/tags/list", .headers = {{"Accept", "application/json"}}, .limit = kMaxListBytes, .doing = format("listing tags of {}", state_->name)};
  return state_->anywhere<std::vector<std::string>>(State::Needs::tag, [&](Place& place) -> Result<std::vector<std::string>> {
    std::vector<std::string> out;
    TRY(read_pages(
        place, call,
        [&](const json::Value& page, const Reply&) -> Result<> {
          const json::Value* tags = page.find("tags");
          if (!page.is_object() || (tags && !tags->is_array() && !tags->is_null())) return fail(Errc::corrupt, "this is no list of tags");
          for (std::string& tag : page.strings("tags")) out.push_back(std::move(tag));
          return {};
        },
        cancel));
    return out;
  });
}

Result<std::vector<Referrer>> Repository::referrers(const oci::Digest& subject, const std::string& artifact_type, task::Cancel cancel) const {
  std::string path = "/referrers/" + subject.str();
  if (!artifact_type.empty()) path += "?artifactType=" + replace_all(artifact_type, "+", "%2B");
  const Call call{.path = path, .headers = {{"Accept", std::string(oci::kOciIndex)}}, .limit = kMaxListBytes, .expected = {200}, .doing = state_->doing("listing what refers to", subject)};
  std::vector<Referrer> out;
  auto listed = read_pages(
      state_->last(), call,
      [&](const json::Value& page, const Reply&) -> Result<> {
        if (!page.find("manifests")) return fail(Errc::corrupt, "this is no list of referrers");
        // Filtering again what the registry has filtered changes nothing.
        for (Referrer& one : referrers_of(page, artifact_type)) out.push_back(std::move(one));
        return {};
      },
      cancel);
  if (listed) return out;
  const Errc code = listed.error().code();
  if (code != Errc::not_found && code != Errc::unsupported && code != Errc::invalid_argument) return fail(std::move(listed.error()));
  auto tagged = document({.registry = registry(), .path = this->path(), .tag = referrers_tag(subject)}, cancel);
  if (!tagged && tagged.error().code() == Errc::not_found) return std::vector<Referrer>{};
  if (!tagged) return fail(std::move(tagged.error()));
  const auto index = TRY(json::parse(tagged->bytes));
  return referrers_of(index, artifact_type);
}

}  // namespace mica::registry
