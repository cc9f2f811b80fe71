// What registries say in headers and refusals: any bytes are read without fault, and what is shown of them cannot steer a terminal.
#include <cstdlib>

#include "http/location.h"
#include "registry/challenge.h"
#include "registry/errors.h"
#include "registry/retry.h"
#include "registry/scopes.h"
#include "registry/upload_location.h"

using namespace mica;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto challenges = registry::parse_challenges(text);
  if (const auto* chosen = registry::preferred(challenges)) {
    const registry::Scopes scopes(chosen->parameter("scope"));
    if (!(registry::Scopes(scopes.str()) == scopes)) std::abort();
  }
  const auto refusal = registry::parse_refusal(text);
  for (const std::string& shown : {refusal.text, registry::printable(text)})
    for (const char c : shown)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) std::abort();
  (void)registry::parse_retry_after(text, {});
  if (const auto bytes = registry::accepted_bytes(text); bytes && *bytes < 0) std::abort();
  const std::string url = registry::upload_url("https://registry.example/v2/a/blobs/uploads/", text);
  // Credentials go by the origin: what is the registry's own must start like it.
  if (http::same_origin(url, "https://registry.example") && http::authority(url) != "registry.example:443") std::abort();
  return 0;
}
