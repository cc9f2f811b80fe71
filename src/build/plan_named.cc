#include "build/plan_named.h"

#include "base/format.h"
#include "base/text.h"
#include "oci/reference.h"

namespace mica::build {
namespace {

constexpr std::string_view kLatest = ":latest";

/// As names are compared: familiar, without ":latest".
Result<std::string> key_of(std::string_view name) {
  const oci::Reference reference = TRY(oci::Reference::parse(name));
  std::string key = reference.familiar();
  if (key.ends_with(kLatest)) key.resize(key.size() - kLatest.size());
  return key;
}

bool is_reserved(std::string_view name) { return equals_ignoring_case(name, "scratch") || equals_ignoring_case(name, "context"); }

}  // namespace

bool is_image_context(const NamedContext& context) {
  return context.value.starts_with("docker-image://") || context.value.starts_with("oci-layout://");
}

Result<NamedContexts> NamedContexts::make(const std::vector<NamedContext>& contexts, const oci::Platform& target) {
  NamedContexts named;
  named.target_ = target;
  for (const NamedContext& context : contexts) {
    std::string_view name = context.name;
    std::string platform;
    if (const auto at = name.find("::"); at != name.npos) {
      const auto parsed =
          TRY_DOING(oci::Platform::parse(name.substr(at + 2)), format("reading --build-context {}", quoted(context.name)));
      platform = "::" + parsed.str();
      name = name.substr(0, at);
    }
    if (is_reserved(name)) continue;
    auto key = key_of(name);
    if (!key) return failf(Errc::invalid_argument, "invalid context name {}: {}", context.name, key.error().message());
    named.by_key_.insert_or_assign(*key + platform, context);
  }
  return named;
}

const NamedContext* NamedContexts::find(std::string_view name, const oci::Platform* platform) const {
  if (by_key_.empty() || is_reserved(name)) return nullptr;
  const auto key = key_of(name);
  if (!key) return nullptr;
  auto found = by_key_.find(*key + "::" + (platform ? *platform : target_).str());
  if (found == by_key_.end()) found = by_key_.find(*key);
  return found == by_key_.end() ? nullptr : &found->second;
}

}  // namespace mica::build
