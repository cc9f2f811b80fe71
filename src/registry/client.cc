#include "registry/client.h"

#include "base/format.h"
#include "base/log.h"
#include "registry/repository.h"

namespace mica::registry {

Client::Client(http::Client& http, Hosts hosts, Credentials credentials, ClientOptions options, const Clock* clock)
    : session_(std::make_shared<Session>(http, std::move(hosts), std::move(credentials), std::move(options), clock ? *clock : system_clock())) {}

Client::~Client() {
  const Traffic seen = traffic();
  log::debug("registry requests={} received={} sent={}", seen.requests, seen.bytes_received, seen.bytes_sent);
}

Result<Repository> Client::open(const oci::Reference& name, Access access) {
  if (access == Access::pull) {
    auto places = TRY(session_->hosts.for_pull(name));
    return open(name, access, std::move(places));
  }
  auto place = TRY(session_->hosts.for_push(name));
  std::vector<Endpoint> places;
  places.push_back(std::move(place));
  return open(name, access, std::move(places));
}

Repository Client::open(const oci::Reference& name, Access access, std::vector<Endpoint> places) {
  MICA_ASSERT(!places.empty(), "a repository is somewhere");
  auto state = std::make_shared<Repository::State>();
  state->session = session_;
  state->registry = name.registry;
  state->path = name.path;
  state->name = name.familiar_name();
  state->access = access;
  for (Endpoint& place : places) state->places.push_back(std::make_unique<Place>(*session_, std::move(place), state->name, access));
  return Repository(std::move(state));
}

Traffic Client::traffic() const { return {session_->requests, session_->bytes_received, session_->bytes_sent}; }
const Hosts& Client::hosts() const { return session_->hosts; }
const Credentials& Client::credentials() const { return session_->credentials; }

const std::string& Repository::registry() const { return state_->registry; }
const std::string& Repository::path() const { return state_->path; }

bool Repository::distrust(const oci::Digest& digest) const {
  const Place* from = nullptr;
  {
    auto gave = state_->gave.lock();
    const auto found = gave->find(digest);
    if (found != gave->end()) from = found->second;
  }
  if (!from || from->is_reliable()) return false;
  state_->distrusted.lock()->insert(from);
  state_->session->remark(format("{} gave other bytes than {}: it is passed over", from->name(), digest.str()));
  return true;
}

std::string Repository::State::doing(std::string_view action, const oci::Reference& what) const {
  return format("{} {}{}", action, name, what.digest.empty() ? ":" + what.tag : "@" + what.digest.str());
}
std::string Repository::State::doing(std::string_view action, const oci::Digest& blob) const { return format("{} {} of {}", action, blob.str(), name); }

std::vector<Place*> Repository::State::candidates(Needs needs) const {
  std::vector<Place*> out;
  for (const auto& place : places) {
    const Endpoint& endpoint = place->endpoint();
    const bool is_last = place == places.back();
    if (!is_last && (session->is_passed_over(endpoint.address) || distrusted.lock()->contains(place.get()))) continue;
    if ((needs == Needs::tag && !endpoint.serves_tags) || (needs == Needs::digest && !endpoint.serves_digests)) continue;
    out.push_back(place.get());
  }
  if (out.empty()) out.push_back(places.back().get());
  return out;
}

bool Repository::State::goes_on(Place& place, const Error& error, std::vector<Error>& failed) const {
  if (error.code() == Errc::cancelled || places.size() == 1) return false;
  failed.push_back(error);
  if (place.is_reliable()) return true;
  // One that does not even answer would make every later request wait.
  if (error.code() == Errc::unavailable) session->pass_over(place.endpoint().address);
  session->remark(format("passing over {}: {}", place.name(), error.text()));
  return true;
}

Error Repository::State::all_failed(std::vector<Error> failed) const {
  Error last = std::move(failed.back());
  if (failed.size() == 1) return last;
  std::string text = last.text();
  for (std::size_t i = 0; i + 1 < failed.size(); ++i) text += format("; before that: {}", failed[i].text());
  return Error(last.code(), std::move(text)).with_hint(last.hint());
}

}  // namespace mica::registry
