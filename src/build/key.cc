#include "build/key.h"

#include <algorithm>

#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"

namespace mica::build {
namespace {

constexpr std::size_t kShownValue = 60;

std::string digest_of(const Parts& parts, bool declared_only) {
  Sha256 hash;
  hash.field(declared_only ? "mica step, declared parts, 1" : "mica step, 1");
  for (const Part& part : parts)
    if (part.declared || !declared_only) hash.field(part.name).field(part.value);
  return hash.finish_hex();
}

void append_text(std::string& to, std::string_view text) {
  to += std::to_string(text.size());
  to += ':';
  to += text;
}

/// Takes "N:bytes" from the front.
std::optional<std::string_view> take_text(std::string_view& from) {
  const auto colon = from.find(':');
  if (colon == from.npos || colon > 12) return std::nullopt;
  const auto size = parse_int(from.substr(0, colon));
  if (!size || *size < 0 || static_cast<std::size_t>(*size) > from.size() - colon - 1) return std::nullopt;
  const auto text = from.substr(colon + 1, static_cast<std::size_t>(*size));
  from.remove_prefix(colon + 1 + text.size());
  return text;
}

bool is_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::string shown(std::string_view value) {
  if (is_digest(value)) return std::string(value.substr(0, 12));
  if (value.starts_with("sha256:") && is_digest(value.substr(7))) return std::string(value.substr(0, 19));
  if (value.size() <= kShownValue) return quoted(value);
  return quoted(value.substr(0, kShownValue)) + "...";
}

/// What people call the part: "file a" is a, "arg V" is ARG V, "env V" is ENV V.
std::string subject(std::string_view name) {
  if (name.starts_with("file ")) return std::string(name.substr(5));
  if (name.starts_with("arg ")) return "ARG " + std::string(name.substr(4));
  if (name.starts_with("env ")) return "ENV " + std::string(name.substr(4));
  if (name == "parent") return "the root filesystem below";
  return std::string(name);
}

}  // namespace

std::string weak_key(const Parts& parts) { return digest_of(parts, true); }
std::string strong_key(const Parts& parts) { return digest_of(parts, false); }

std::string encode_parts(const Parts& parts) {
  std::string out(kPartsMagic);
  for (const Part& part : parts) append_part(out, part);
  return out;
}

void append_part(std::string& to, const Part& part) {
  to += part.declared ? 'd' : 'c';
  append_text(to, part.name);
  append_text(to, part.value);
}

Result<Parts> decode_parts(std::string_view bytes) {
  if (!bytes.starts_with(kPartsMagic)) return fail(Errc::corrupt, "a step's key parts are in no known form");
  bytes.remove_prefix(kPartsMagic.size());
  Parts parts;
  while (!bytes.empty()) {
    const char kind = bytes[0];
    bytes.remove_prefix(1);
    const auto name = take_text(bytes);
    const auto value = name ? take_text(bytes) : std::nullopt;
    if ((kind != 'd' && kind != 'c') || !value) return fail(Errc::corrupt, "a step's key parts are damaged");
    parts.push_back({std::string(*name), std::string(*value), kind == 'd'});
  }
  return parts;
}

Changes compare_parts(const Parts& before, const Parts& after, std::size_t limit) {
  // A name may be there several times (the sources of a COPY): the n-th of it before is compared with the n-th after.
  const auto by_name = [](const Parts& parts) {
    std::vector<std::size_t> order(parts.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return parts[a].name < parts[b].name; });
    return order;
  };
  const auto old_order = by_name(before), new_order = by_name(after);
  std::vector<const Part*> counterpart(after.size(), nullptr);
  std::vector<bool> matched(before.size(), false);
  for (std::size_t i = 0, k = 0; i < old_order.size() && k < new_order.size();) {
    const int order = before[old_order[i]].name.compare(after[new_order[k]].name);
    if (order == 0) {
      counterpart[new_order[k]] = &before[old_order[i]];
      matched[old_order[i]] = true;
    }
    if (order <= 0) ++i;
    if (order >= 0) ++k;
  }
  Changes changes;
  auto add = [&](std::string_view name, std::string_view from, std::string_view to) {
    ++changes.total;
    if (changes.list.size() < limit) changes.list.push_back({std::string(name), std::string(from), std::string(to)});
  };
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (!counterpart[i]) add(after[i].name, "", after[i].value);
    else if (counterpart[i]->value != after[i].value) add(after[i].name, counterpart[i]->value, after[i].value);
  }
  for (std::size_t i = 0; i < before.size(); ++i)
    if (!matched[i]) add(before[i].name, before[i].value, "");
  return changes;
}

std::string describe(const Change& change) {
  const std::string what = subject(change.name);
  if (change.name == "parent") return format("{} changed: {} to {}", what, shown(change.before), shown(change.after));
  if (change.before.empty()) return change.name.starts_with("file ") ? what + " is new" : format("{} is new: {}", what, shown(change.after));
  if (change.after.empty()) return what + " was removed";
  return format("{} changed: {} to {}", what, shown(change.before), shown(change.after));
}

}  // namespace mica::build
