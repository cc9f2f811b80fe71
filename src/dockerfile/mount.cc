#include "dockerfile/mount.h"

#include <algorithm>
#include <limits>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/diagnostics.h"
#include "dockerfile/parser.h"

namespace mica::dockerfile {
namespace {

constexpr std::string_view kTypes[] = {"bind", "cache", "tmpfs", "secret", "ssh"};
constexpr std::string_view kSharings[] = {"shared", "private", "locked"};
constexpr std::string_view kKeys[] = {"type",        "from", "source", "target",    "readonly", "id",  "sharing",
                                      "required",    "size", "mode",   "uid",       "gid",      "src", "dst",
                                      "destination", "ro",   "rw",     "readwrite", "env"};

template <class... Args>
std::unexpected<Error> bad(fmt::format_string<Args...> message, Args&&... args) {
  return failf(Errc::invalid_argument, message, std::forward<Args>(args)...);
}

std::unexpected<Error> bad_csv(std::size_t column, std::string_view what) {
  return bad("failed to parse csv mounts: parse error on line 1, column {}: {}", column, what);
}

std::unexpected<Error> with_suggestion(std::string message, std::string_view word, std::span<const std::string_view> known) {
  const std::string suggestion = did_you_mean(word, known);
  if (!suggestion.empty()) message += format(" ({})", suggestion);
  return fail(Errc::invalid_argument, std::move(message));
}

/// One record as Go's encoding/csv reads it: a field that begins with a quote ends with one, "" inside stands for one.
Result<std::vector<std::string>> split_csv(std::string_view text) {
  if (text.empty()) return bad("failed to parse csv mounts: EOF");
  std::vector<std::string> fields;
  for (std::size_t at = 0;; ++at) {
    std::string field;
    if (text.substr(at).starts_with('"')) {
      const std::size_t open = at++;
      while (true) {
        const std::size_t quote = text.find('"', at);
        if (quote == std::string_view::npos) return bad_csv(open + 2, "extraneous or missing \" in quoted-field");
        field += text.substr(at, quote - at);
        at = quote + 1;
        if (!text.substr(at).starts_with('"')) break;
        field += '"';
        ++at;
      }
      if (at < text.size() && text[at] != ',') return bad_csv(at, "extraneous or missing \" in quoted-field");
    } else {
      const std::size_t end = std::min(text.find(',', at), text.size());
      field = text.substr(at, end - at);
      if (const std::size_t quote = field.find('"'); quote != std::string::npos)
        return bad_csv(at + quote + 1, "bare \" in non-quoted-field");
      at = end;
    }
    fields.push_back(std::move(field));
    if (at == text.size()) return fields;
  }
}

/// strconv.ParseBool.
std::optional<bool> parse_bool(std::string_view text) {
  constexpr std::string_view kTrue[] = {"1", "t", "T", "true", "TRUE", "True"},
                             kFalse[] = {"0", "f", "F", "false", "FALSE", "False"};
  if (std::ranges::find(kTrue, text) != std::end(kTrue)) return true;
  if (std::ranges::find(kFalse, text) != std::end(kFalse)) return false;
  return std::nullopt;
}

bool has_variable(std::string_view value) { return value.find('$') != std::string_view::npos; }
/// A '$' at the very end is none.
bool from_has_variable(std::string_view value) { return has_variable(value.substr(0, value.empty() ? 0 : value.size() - 1)); }

bool is_number_below_2_32(std::string_view text, bool octal) {
  if (text.empty() || text.find_first_not_of(octal ? "01234567" : "0123456789") != std::string_view::npos) return false;
  if (octal) {
    const auto value = parse_octal(text);
    return value && *value <= std::numeric_limits<std::uint32_t>::max();
  }
  const auto value = parse_int(text);
  return value && *value <= std::numeric_limits<std::uint32_t>::max();
}

std::string_view name_of(MountType type) { return kTypes[static_cast<std::size_t>(type)]; }

class MountReader {
 public:
  explicit MountReader(const Expander& expand) : expand_(expand) {}

  Result<MountSpec> run(std::string_view csv) {
    const auto fields = TRY(split_csv(csv));
    for (const std::string& field : fields) {
      const auto pair = split_once(field, '=');
      const std::string key = to_lower(pair ? pair->first : std::string_view(field));
      if (!pair) {
        TRY(bare(key, field));
        continue;
      }
      if (key == "from" && from_has_variable(pair->second))
        return bad("'{}' doesn't support variable expansion, define alias stage instead", key);
      std::string value(pair->second);
      if (expand_) value = TRY(expand_(pair->second));
      TRY(set(key, std::move(value), field));
    }
    TRY(check_whole());
    return std::move(mount_);
  }

 private:
  bool later(std::string_view value) const { return !expand_ && has_variable(value); }

  std::unexpected<Error> unexpected_key(std::string_view key) const {
    return bad("unexpected key '{}' for mount type '{}'", key, name_of(mount_.type));
  }

  /// A key without value.
  Result<> bare(const std::string& key, const std::string& field) {
    if (key == "required" || key == "readonly" || key == "ro" || key == "readwrite" || key == "rw")
      return set(key, "true", field);
    return bad("invalid field '{}' must be a key=value pair", field);
  }

  Result<> set(const std::string& key, std::string value, const std::string& field) {
    if (std::string* plain = plain_field(key)) {
      *plain = std::move(value);
      return {};
    }
    if (key == "type") return set_type(value);
    if (key == "sharing") return set_sharing(std::move(value));
    const bool read_only = key == "readonly" || key == "ro";
    if (read_only || key == "readwrite" || key == "rw") {
      if (later(value)) return {};
      const auto yes = parse_bool(value);
      if (!yes) return bad("invalid value for {}: {}", key, value);
      mount_.read_only = read_only == *yes;
      return {};
    }
    if (key == "required") {
      if (!is_one_of({MountType::secret, MountType::ssh})) return unexpected_key(key);
      if (!later(value) && !parse_bool(value)) return bad("invalid value for {}: {}", key, value);
      mount_.required = std::move(value);
      return {};
    }
    if (key == "size") {
      if (!is_one_of({MountType::tmpfs})) return unexpected_key(key);
      if (!later(value) && !parse_size(value)) return bad("invalid value for {}: {}", key, value);
      mount_.size = std::move(value);
      return {};
    }
    if (key == "mode" || key == "uid" || key == "gid") {
      if (!later(value) && !is_number_below_2_32(value, key == "mode")) return bad("invalid value {} for {}", value, key);
      (key == "mode" ? mount_.mode : key == "uid" ? mount_.uid : mount_.gid) = std::move(value);
      return {};
    }
    return with_suggestion(format("unexpected key '{}' in '{}'", key, field), key, kKeys);
  }

  /// Where values go that may be any text.
  std::string* plain_field(std::string_view key) {
    if (key == "from") return &mount_.from;
    if (key == "source" || key == "src") return &mount_.source;
    if (key == "target" || key == "dst" || key == "destination") return &mount_.target;
    if (key == "id") return &mount_.id;
    if (key == "env") return &mount_.env;
    return nullptr;
  }

  /// A type that is still a variable may be any.
  bool is_one_of(std::initializer_list<MountType> types) const {
    return type_later_ || std::ranges::find(types, mount_.type) != types.end();
  }

  Result<> set_type(const std::string& value) {
    type_later_ = later(value);
    if (type_later_) return {};
    const auto known = std::ranges::find(kTypes, to_lower(value));
    if (known == std::end(kTypes)) return with_suggestion(format("unsupported mount type {}", quoted(value)), value, kTypes);
    mount_.type = static_cast<MountType>(known - std::begin(kTypes));
    return {};
  }

  Result<> set_sharing(std::string value) {
    has_sharing_ = true;
    if (later(value)) {
      mount_.sharing_text = std::move(value);
      return {};
    }
    const auto known = std::ranges::find(kSharings, to_lower(value));
    if (known == std::end(kSharings))
      return with_suggestion(format("unsupported sharing value {}", quoted(value)), value, kSharings);
    mount_.sharing = static_cast<Sharing>(known - std::begin(kSharings));
    return {};
  }

  Result<> check_whole() const {
    if (type_later_) return {};
    const MountType type = mount_.type;
    const std::string_view name = name_of(type);
    if (type == MountType::bind || type == MountType::tmpfs) {
      if (!mount_.mode.empty()) return bad("mode not allowed for \"{}\" type mounts", name);
      if (!mount_.uid.empty()) return bad("uid not allowed for \"{}\" type mounts", name);
      if (!mount_.gid.empty()) return bad("gid not allowed for \"{}\" type mounts", name);
    }
    if (type == MountType::secret) {
      if (!mount_.from.empty()) return bad("secret mount should not have a from");
      if (has_sharing_) return bad("secret mount should not define sharing");
      if (mount_.source.empty() && mount_.target.empty() && mount_.id.empty())
        return bad("invalid secret mount. one of source, target required");
      if (!mount_.source.empty() && !mount_.id.empty()) return bad("both source and id can't be set");
    }
    if (has_sharing_ && type != MountType::cache) return bad("invalid cache sharing set for {} mount", name);
    if (type == MountType::ssh && !mount_.source.empty()) return bad("ssh does not support source");
    if (type != MountType::ssh && type != MountType::secret && mount_.target.starts_with('/') && clean_path(mount_.target) == "/")
      return bad("invalid mount target \"/\"");
    return {};
  }

  const Expander& expand_;
  MountSpec mount_;
  bool has_sharing_ = false, type_later_ = false;
};

}  // namespace

Result<> check_mount_form(std::string_view csv) {
  const auto fields = TRY(split_csv(csv));
  for (const std::string& field : fields) {
    const auto pair = split_once(field, '=');
    if (pair && equals_ignoring_case(pair->first, "from") && from_has_variable(pair->second))
      return bad("'from' doesn't support variable expansion, define alias stage instead");
  }
  return {};
}

Result<MountSpec> parse_mount(std::string_view csv, const Expander& expand) { return MountReader(expand).run(csv); }

}  // namespace mica::dockerfile
