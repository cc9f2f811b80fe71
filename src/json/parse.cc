#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/format.h"
#include "base/text.h"
#include "json/json.h"

namespace mica::json {
namespace {

using Foreign = nlohmann::json;

/// "line 3, column 7" of a byte offset counted from 1, as the library reports it.
std::string place_of(std::string_view text, std::size_t byte) {
  const std::size_t before = std::min(byte ? byte - 1 : 0, text.size());
  const std::string_view head = text.substr(0, before);
  const std::size_t line = 1 + static_cast<std::size_t>(std::count(head.begin(), head.end(), '\n'));
  const std::size_t newline = head.rfind('\n');
  return format("line {}, column {}", line, newline == head.npos ? before + 1 : before - newline);
}

/// The library's sentence without its prefix of names and positions.
std::string_view reason_of(std::string_view what) {
  if (const auto at = what.find("column "); at != what.npos)
    if (const auto colon = what.find(": ", at); colon != what.npos) return what.substr(colon + 2);
  if (const auto bracket = what.find("] "); bracket != what.npos) return what.substr(bracket + 2);
  return what;
}

/// Of members with the same name the first keeps its place and gets the last one's value.
void drop_duplicates(Object& object) {
  constexpr std::size_t kFewMembers = 12;
  std::unordered_map<std::string_view, std::size_t> place;
  std::vector<bool> dropped;
  for (std::size_t i = 1; i < object.size() && object.size() <= kFewMembers; ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (object[i].first == object[j].first) {
        object[j].second = std::move(object[i].second);
        object.erase(object.begin() + static_cast<std::ptrdiff_t>(i--));
        break;
      }
  if (object.size() <= kFewMembers) return;
  for (std::size_t i = 0; i < object.size(); ++i) {
    const auto [at, fresh] = place.try_emplace(object[i].first, i);
    if (fresh) continue;
    object[at->second].second = std::move(object[i].second);
    dropped.resize(object.size());
    dropped[i] = true;
  }
  if (dropped.empty()) return;
  Object kept;
  for (std::size_t i = 0; i < object.size(); ++i)
    if (!dropped[i]) kept.push_back(std::move(object[i]));
  object = std::move(kept);
}

/// Builds a Value from events. `open` holds the containers not yet closed, so depth costs heap and never stack.
class Builder : public nlohmann::json_sax<Foreign> {
 public:
  Builder(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  bool null() override { return add(Value()); }
  bool boolean(bool b) override { return add(Value(b)); }
  bool number_integer(number_integer_t n) override { return add(Value(std::int64_t{n})); }
  bool number_unsigned(number_unsigned_t n) override {
    if (n > static_cast<number_unsigned_t>(INT64_MAX)) return add(Value(static_cast<double>(n)));
    return add(Value(static_cast<std::int64_t>(n)));
  }
  bool number_float(number_float_t d, const string_t&) override { return add(Value(d)); }
  bool string(string_t& s) override { return add(Value(std::move(s))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open_container(Value::object()); }
  bool start_array(std::size_t) override { return open_container(Value::array()); }
  bool key(string_t& s) override {
    open_.back().key = std::move(s);
    return true;
  }
  bool end_object() override {
    drop_duplicates(open_.back().value.as_object());
    return close_container();
  }
  bool end_array() override { return close_container(); }
  bool parse_error(std::size_t byte, const std::string&, const nlohmann::detail::exception& e) override {
    error = Error(Errc::corrupt, format("invalid JSON at {}: {}", place_of(text_, byte), reason_of(e.what())));
    return false;
  }

  Value root;
  std::optional<Error> error;

 private:
  struct Open {
    Value value;
    std::string key;
  };

  bool add(Value value) {
    if (!count()) return false;
    place(std::move(value));
    return true;
  }
  bool open_container(Value value) {
    if (!count()) return false;
    if (static_cast<int>(open_.size()) >= limits_.depth)
      return refuse(format("JSON is nested deeper than {} levels", limits_.depth));
    open_.push_back({std::move(value), {}});
    return true;
  }
  bool close_container() {
    Value done = std::move(open_.back().value);
    open_.pop_back();
    place(std::move(done));
    return true;
  }
  void place(Value value) {
    if (open_.empty()) {
      root = std::move(value);
    } else if (Open& parent = open_.back(); parent.value.is_array()) {
      parent.value.as_array().push_back(std::move(value));
    } else {
      parent.value.as_object().emplace_back(std::move(parent.key), std::move(value));
    }
  }
  bool count() {
    if (++values_ <= limits_.values) return true;
    return refuse(format("JSON has more than {} values", limits_.values));
  }
  bool refuse(std::string why) {
    error = Error(Errc::resource_exhausted, std::move(why));
    return false;
  }

  std::string_view text_;
  const Limits& limits_;
  std::vector<Open> open_;
  std::size_t values_ = 0;
};

}  // namespace

Result<Value> parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes)
    return failf(Errc::resource_exhausted, "JSON of {} bytes is larger than the limit of {}", text.size(), limits.bytes);
  // The library takes a NUL for the end of the text and would ignore what follows.
  if (const auto nul = text.find('\0'); nul != text.npos)
    return failf(Errc::corrupt, "invalid JSON at {}: NUL byte", place_of(text, nul + 1));
  Builder builder(text, limits);
  const bool good = Foreign::sax_parse(text.begin(), text.end(), &builder);
  if (builder.error) return fail(std::move(*builder.error));
  if (!good) return fail(Errc::corrupt, "invalid JSON");
  return std::move(builder.root);
}

}  // namespace mica::json
