#include "compose/merge.h"

#include <algorithm>
#include <functional>

#include "base/format.h"
#include "compose/canonical.h"

namespace mica::compose {

namespace {

using json::Array;
using json::Object;
using json::Value;

constexpr std::string_view kReset = "\x01reset", kOverride = "\x01override";

bool is_reset(const Value& value) { return value.is_object() && value.as_object().size() == 1 && value.as_object()[0].first == kReset; }
const Value* overriding(const Value& value) { return value.is_object() && value.as_object().size() == 1 && value.as_object()[0].first == kOverride ? &value.as_object()[0].second : nullptr; }

using Key = std::function<std::string(const Value&)>;

/// Which items of a list are the same thing; empty: every item is a thing of its own.
Key key_of(std::string_view member) {
  if (member == "ports")
    return [](const Value& port) {
      return format("{}:{}:{}/{}", port.string_or("host_ip"), port.find("target") ? scalar_text(*port.find("target")) : "", port.find("published") ? scalar_text(*port.find("published")) : "", port.string_or("protocol"));
    };
  if (member == "volumes" || member == "devices") return [](const Value& mount) { return mount.is_object() ? mount.string_or("target") : scalar_text(mount); };
  if (member == "secrets" || member == "configs") return [](const Value& item) { return item.string_or("target").empty() ? item.string_or("source") : item.string_or("target"); };
  if (member == "env_file") return [](const Value& item) { return item.string_or("path"); };
  if (member == "extra_hosts") return [](const Value& item) { return scalar_text(item); };
  if (member == "expose" || member == "cap_add" || member == "cap_drop" || member == "dns" || member == "dns_opt" || member == "dns_search" || member == "security_opt" || member == "links" || member == "external_links" ||
      member == "group_add" || member == "tmpfs" || member == "profiles" || member == "cache_from" || member == "cache_to" || member == "tags" || member == "platforms" || member == "label_file" || member == "device_cgroup_rules")
    return [](const Value& item) { return scalar_text(item); };
  return {};
}

Value merge_lists(std::string_view member, const Array& base, const Array& over) {
  Array out = base;
  const Key key = key_of(member);
  for (const auto& item : over) {
    if (key) {
      const std::string name = key(item);
      const auto same = std::ranges::find_if(out, [&](const Value& other) { return key(other) == name; });
      if (same != out.end()) {
        *same = item;
        continue;
      }
    }
    out.push_back(item);
  }
  return out;
}

Value merge_values(std::string_view member, const Value& base, const Value& over);

Value merge_maps(const Object& base, const Object& over) {
  Object out = base;
  for (const auto& [name, value] : over) {
    const auto same = std::ranges::find_if(out, [&](const auto& one) { return one.first == name; });
    if (is_reset(value)) {
      if (same != out.end()) out.erase(same);
    } else if (same == out.end()) {
      if (const auto* whole = overriding(value)) out.emplace_back(name, *whole);
      else out.emplace_back(name, without_marks(value));
    } else {
      same->second = merge_values(name, same->second, value);
    }
  }
  return out;
}

Value merge_values(std::string_view member, const Value& base, const Value& over) {
  if (const auto* whole = overriding(over)) return *whole;
  // Whole commands are replaced, never lengthened.
  if (member == "command" || member == "entrypoint" || member == "test") return over;
  if (base.is_object() && over.is_object()) {
    // Another driver has other options.
    if (member == "logging" && base.find("driver") && over.find("driver") && *base.find("driver") != *over.find("driver")) return without_marks(over);
    return merge_maps(base.as_object(), over.as_object());
  }
  if (base.is_array() && over.is_array()) return merge_lists(member, base.as_array(), over.as_array());
  if (over.is_null() && (base.is_object() || base.is_array())) return base;
  return without_marks(over);
}

}  // namespace

Value with_marks(const Value& value, const json::Place& place) {
  Value inner = value;
  const auto below = [&](std::size_t i, const Value& item) { return i < place.children.size() ? with_marks(item, place.children[i]) : item; };
  if (inner.is_object()) {
    std::size_t i = 0;
    for (auto& [name, member] : inner.as_object()) {
      member = below(i, member);
      ++i;
    }
  } else if (inner.is_array()) {
    std::size_t i = 0;
    for (auto& item : inner.as_array()) {
      item = below(i, item);
      ++i;
    }
  }
  if (place.tag == "!reset") return Object{{std::string(kReset), true}};
  if (place.tag == "!override") return Object{{std::string(kOverride), std::move(inner)}};
  return inner;
}

Value merge_services(const Value& base, const Value& over) { return merge_values("", base, over); }
Value merge_projects(const Value& base, const Value& over) { return merge_values("", base, over); }

Value without_marks(Value value) {
  if (value.is_object()) {
    if (auto* whole = const_cast<Value*>(overriding(value))) return without_marks(std::move(*whole));
    std::erase_if(value.as_object(), [](const auto& one) { return is_reset(one.second); });
    for (auto& [name, member] : value.as_object()) member = without_marks(std::move(member));
  } else if (value.is_array()) {
    for (auto& item : value.as_array()) item = without_marks(std::move(item));
  }
  return value;
}

Value* marked(Value& value) {
  if (!value.is_object() || value.as_object().size() != 1 || value.as_object()[0].first != kOverride) return nullptr;
  return &value.as_object()[0].second;
}

}  // namespace mica::compose
