#include "engine/filters.h"

#include <fnmatch.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace mica::engine {
namespace {

bool has_label(const Labels& labels, std::string_view want) {
  const auto pair = split_once(want, '=');
  const std::string_view key = pair ? pair->first : want;
  return std::any_of(labels.begin(), labels.end(), [&](const auto& l) { return l.first == key && (!pair || l.second == pair->second); });
}

}  // namespace

Result<Filters> parse_filters(const std::vector<std::string>& words, std::span<const std::string_view> known) {
  Filters filters;
  for (const std::string& word : words) {
    const auto pair = split_once(word, '=');
    if (!pair)
      return fail(Error(Errc::invalid_argument, format("invalid argument {} for \"-f, --filter\" flag: bad format of filter (expected name=value)", quoted(word)))
                      .with_exit_status(125));
    const std::string key = to_lower(trim(pair->first));
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      Error error(Errc::invalid_argument, format("invalid filter '{}'", key));
      const auto near = closest(key, known);
      std::string all;
      for (std::string_view k : known) all += (all.empty() ? "" : ", ") + std::string(k);
      return fail(std::move(error).with_hint(near ? format("did you mean {}?", *near) : "known here: " + all));
    }
    filters[key].emplace_back(trim(pair->second));
  }
  return filters;
}

Result<Timestamp> parse_until(std::string_view text, Timestamp at) {
  if (const auto seconds = parse_int(text)) return Timestamp::from_seconds(*seconds);
  if (const auto duration = parse_duration(text)) return Timestamp{at.ns - *duration};
  std::string full(text);
  if (full.size() == 10) full += "T00:00:00Z";
  else if (full.size() == 16) full += ":00Z";
  else if (full.size() >= 19 && full.find_first_of("Z+", 10) == full.npos && full.find('-', 10) == full.npos) full += "Z";
  if (auto time = parse_rfc3339(full)) return *time;
  return failf(Errc::invalid_argument, "invalid time {}: use a duration such as 24h, a date, RFC 3339 or Unix seconds", quoted(text));
}

Result<std::optional<Timestamp>> until_of(const Filters& filters) {
  std::optional<Timestamp> earliest;
  const auto found = filters.find("until");
  if (found == filters.end()) return earliest;
  for (const std::string& text : found->second) {
    const Timestamp time = TRY(parse_until(text, now()));
    if (!earliest || time < *earliest) earliest = time;
  }
  return earliest;
}

Result<std::optional<bool>> boolean_of(const Filters& filters, std::string_view key) {
  std::optional<bool> value;
  const auto found = filters.find(std::string(key));
  if (found == filters.end()) return value;
  for (const std::string& text : found->second) {
    if (text == "true" || text == "1" || text == "True" || text == "t") value = true;
    else if (text == "false" || text == "0" || text == "False" || text == "f") value = false;
    else return failf(Errc::invalid_argument, "invalid filter '{}={}': use true or false", key, text);
  }
  return value;
}

bool labels_match(const Filters& filters, const Labels& labels) {
  if (const auto wanted = filters.find("label"); wanted != filters.end())
    for (const std::string& want : wanted->second)
      if (!has_label(labels, want)) return false;
  if (const auto unwanted = filters.find("label!"); unwanted != filters.end())
    for (const std::string& want : unwanted->second)
      if (has_label(labels, want)) return false;
  return true;
}

bool glob_matches(const std::string& pattern, const std::string& text) { return ::fnmatch(pattern.c_str(), text.c_str(), FNM_PATHNAME) == 0; }

}  // namespace mica::engine
