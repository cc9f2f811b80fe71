#include "engine/index_annotations.h"

#include "base/format.h"
#include "base/text.h"

namespace mica::engine {
namespace {

Result<IndexAnnotation> parse_target(std::string_view type, const std::string& whole) {
  IndexAnnotation out;
  if (const auto open = type.find('['); open != type.npos) {
    if (!type.ends_with("]")) return failf(Errc::invalid_argument, "invalid annotation {}: the platform has no closing bracket", quoted(whole));
    const auto platform = TRY_DOING(oci::Platform::parse(type.substr(open + 1, type.size() - open - 2)), format("invalid annotation {}", quoted(whole)));
    out.platform = platform.str();
    type = type.substr(0, open);
  }
  if (type == "manifest-descriptor") out.target = IndexAnnotation::Target::entry;
  else if (type != "index")
    return fail(Error(Errc::unsupported, format("{} annotations are not supported here: {}", quoted(type), quoted(whole)))
                    .with_hint("write index:KEY=VALUE, or manifest-descriptor[OS/ARCH]:KEY=VALUE for an entry of the index"));
  if (out.target == IndexAnnotation::Target::index && !out.platform.empty())
    return failf(Errc::invalid_argument, "invalid annotation {}: an index has no platform", quoted(whole));
  return out;
}

}  // namespace

Result<std::vector<IndexAnnotation>> parse_index_annotations(const std::vector<std::string>& texts) {
  std::vector<IndexAnnotation> out;
  for (const auto& text : texts) {
    const auto pair = split_once(text, '=');
    if (!pair) return failf(Errc::invalid_argument, "failed to parse annotations: invalid annotation {}, expected key=value", quoted(text));
    // The types end at the first colon that is in front of the key: keys have none before '=' otherwise.
    const auto colon = pair->first.find(':');
    const std::string_view types = colon == pair->first.npos ? std::string_view() : pair->first.substr(0, colon);
    const std::string key(colon == pair->first.npos ? pair->first : pair->first.substr(colon + 1));
    if (key.empty()) return failf(Errc::invalid_argument, "failed to parse annotations: invalid annotation {}, the key is empty", quoted(text));
    for (const auto type : split(types, ',')) {
      auto one = TRY(parse_target(type, text));
      one.key = key;
      one.value = pair->second;
      out.push_back(std::move(one));
    }
  }
  return out;
}

}  // namespace mica::engine
