/// From what a user typed to an image, by Docker's rules: a full id is an id, everything else is a name first and an id prefix then.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "store/image_table.h"

namespace mica::store {
namespace {

constexpr std::string_view kAlgorithm = "sha256:";
constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kShortDigits = 12;

bool is_hex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// Ids that begin so, at most two.
Result<std::vector<oci::ImageId>> ids_with_prefix(Guarded<db::Database>& guarded, std::string_view prefix) {
  auto database = guarded.lock();
  auto rows = TRY(database->prepare("SELECT id FROM image WHERE id >= ? AND id < ? ORDER BY id LIMIT 2"));
  rows.bind(prefix).bind(std::string(prefix) + "g");
  std::vector<oci::ImageId> ids;
  while (TRY(rows.step())) {
    auto digest = TRY(oci::Digest::parse(std::string(kAlgorithm) + rows.text(0)));
    ids.push_back({std::move(digest)});
  }
  return ids;
}

/// A user who mistyped a tag or a name sees what there is.
std::string hint_for(const oci::Reference& wanted, const std::vector<NameRow>& names) {
  constexpr std::size_t kShownTags = 10;
  std::vector<std::string> tags, others;
  for (const auto& name : names) {
    if (name.reference.repository() == wanted.repository()) tags.push_back(name.reference.tag);
    else others.push_back(name.reference.familiar_name());
  }
  if (!tags.empty()) {
    const bool all = tags.size() <= kShownTags;
    if (!all) tags.resize(kShownTags);
    return format("{} is here as {}{}", wanted.familiar_name(), join(tags, ", "), all ? "" : ", ...");
  }
  const std::vector<std::string_view> known(others.begin(), others.end());
  const auto near = closest(wanted.familiar_name(), known);
  return near ? format("did you mean {}?", *near) : "";
}

Error no_such_image(ImageTable& table, const oci::Reference& wanted) {
  Error error(Errc::not_found, "No such image: " + wanted.familiar());
  const auto names = table.names();
  return names ? Error(std::move(error).with_hint(hint_for(wanted, *names))) : error;
}

}  // namespace

Result<ImageRow> ImageTable::resolve(std::string_view text) {
  const bool has_algorithm = text.starts_with(kAlgorithm);
  const std::string_view digits = has_algorithm ? text.substr(kAlgorithm.size()) : text;
  if (digits.size() == kHexDigits && is_hex(digits)) {
    auto image = TRY(find({oci::Digest::from_hex(std::string(digits))}));
    if (!image) return failf(Errc::not_found, "No such image: {}{}", kAlgorithm, digits);
    return std::move(*image);
  }

  const auto name = TRY(oci::Reference::parse(text));
  if (const auto row = TRY(find_name(name))) {
    auto image = TRY(find(row->id));
    if (image) return std::move(*image);
  }
  if (is_hex(digits) && digits.size() < kHexDigits) {
    const auto ids = TRY(ids_with_prefix(database_, digits));
    if (ids.size() > 1) {
      const std::size_t shown = std::max(kShortDigits, digits.size() + 1);
      return fail(Error(Errc::conflict, format("image id prefix {} is ambiguous: {} and {} begin so", quoted(text),
                                               ids[0].digest.hex().substr(0, shown), ids[1].digest.hex().substr(0, shown)))
                      .with_hint("give more digits"));
    }
    if (!ids.empty()) {
      auto image = TRY(find(ids[0]));
      if (image) return std::move(*image);
    }
  }
  return fail(no_such_image(*this, name));
}

}  // namespace mica::store
