#include "engine/container_list.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "engine/containers.h"
#include "engine/filters.h"
#include "engine/images.h"

namespace mica::engine {
namespace {

using container::Row;
using container::Status;

constexpr std::string_view kFilters[] = {"ancestor", "before", "exited", "expose", "health", "id", "is-task", "label", "name", "network", "publish", "since", "status", "volume"};
constexpr std::string_view kStates[] = {"created", "running", "paused", "restarting", "removing", "exited", "dead"};
constexpr std::string_view kHealths[] = {"none", "starting", "healthy", "unhealthy"};
constexpr std::size_t kShortDigits = 12, kDigestPrefix = 7;

std::int64_t seconds_since(const std::optional<Timestamp>& time) { return time ? std::max<std::int64_t>(0, (now().ns - time->ns) / 1'000'000'000) : 0; }

/// One folder of a tree, and what is below. Symbolic links are not followed.
std::int64_t tree_bytes(int folder, std::set<std::pair<dev_t, ino_t>>& seen) {
  DIR* directory = ::fdopendir(folder);
  if (!directory) {
    ::close(folder);
    return 0;
  }
  std::int64_t bytes = 0;
  while (const auto* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat about;
    if (::fstatat(::dirfd(directory), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISDIR(about.st_mode)) {
      const int below = ::openat(::dirfd(directory), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (below >= 0) bytes += tree_bytes(below, seen);
    } else if (S_ISREG(about.st_mode) && (about.st_nlink == 1 || seen.emplace(about.st_dev, about.st_ino).second)) {
      bytes += about.st_size;
    }
  }
  ::closedir(directory);
  return bytes;
}

/// Which names and images `ancestor` means: those built on them too.
struct Ancestors {
  std::vector<store::ImageRow> images;
  bool has(const Row& row) const {
    return std::ranges::any_of(images, [&](const auto& image) {
      return image.id.digest.str() == row.image_id || (!image.layers.empty() && image.layers.size() <= row.layers.size() && std::equal(image.layers.begin(), image.layers.end(), row.layers.begin()));
    });
  }
};

/// A range of ports with a protocol, as the filters publish and expose take them: "80", "80/udp", "8000-8010/tcp".
struct PortRange {
  int first = 0, last = 0;
  std::string protocol;
};
Result<PortRange> parse_ports(const std::string& text) {
  const auto parts = split_once(text, '/');
  const std::string_view numbers = parts ? parts->first : std::string_view(text);
  const auto ends = split_once(numbers, '-');
  const auto first = parse_int(ends ? ends->first : numbers), last = parse_int(ends ? ends->second : numbers);
  if (!first || !last || *first > *last) return failf(Errc::invalid_argument, "invalid start port in range: {}", quoted(text));
  return PortRange{static_cast<int>(*first), static_cast<int>(*last), std::string(parts ? parts->second : "tcp")};
}
bool in(const PortRange& range, int port, const std::string& protocol) { return port >= range.first && port <= range.last && protocol == range.protocol; }

class Selection {
 public:
  static Result<Selection> make(Engine& engine, const ListContainers& request) {
    Selection out;
    out.filters_ = TRY(parse_filters(request.filters, kFilters));
    out.last_ = request.last;
    out.all_ = request.all || out.filters_.contains("status") || out.filters_.contains("exited") || request.last > 0;
    TRY(out.check_words("status", kStates));
    TRY(out.check_words("health", kHealths));
    for (const auto& text : out.values("exited"))
      if (!parse_int(text)) return failf(Errc::invalid_argument, "invalid filter 'exited={}'", text);
    const auto task = TRY(boolean_of(out.filters_, "is-task"));
    out.nothing_ = task.value_or(false);
    for (const auto& name : out.values("ancestor")) {
      if (auto image = engine.images().resolve(name)) out.ancestors_.images.push_back(std::move(*image));
    }
    for (const char* key : {"before", "since"})
      for (const auto& name : out.values(key)) {
        const auto other = TRY(container::ContainerTable(engine.database()).resolve(name));
        auto& bound = key == std::string_view("before") ? out.before_ : out.since_;
        bound = bound ? (key == std::string_view("before") ? std::min(*bound, other.created.ns) : std::max(*bound, other.created.ns)) : other.created.ns;
      }
    for (const char* key : {"publish", "expose"})
      for (const auto& text : out.values(key)) {
        auto range = TRY(parse_ports(text));
        (key == std::string_view("publish") ? out.publish_ : out.expose_).push_back(std::move(range));
      }
    return out;
  }

  bool needs_definitions() const { return filters_.contains("volume") || filters_.contains("network") || filters_.contains("publish") || filters_.contains("expose"); }

  bool has(const Row& row) const {
    if (nothing_ || (!all_ && !is_running(row))) return false;
    if (before_ && row.created.ns >= *before_) return false;
    if (since_ && row.created.ns <= *since_) return false;
    if (filters_.contains("ancestor") && !ancestors_.has(row)) return false;
    return any("status", [&](const auto& value) { return value == word(row.state.status); }) && any("id", [&](const auto& value) { return row.id.starts_with(value); }) &&
           any("name", [&](const auto& value) { return row.name.find(value.starts_with('/') ? value.substr(1) : value) != row.name.npos; }) &&
           any("exited", [&](const auto& value) { return row.state.status == Status::exited && parse_int(value) == row.state.exit_code; }) &&
           any("health", [&](const auto& value) { return value == (health_word(row.state).empty() ? "none" : health_word(row.state)); }) && labels_match(filters_, row.labels);
  }

  bool has(const container::Definition& definition) const {
    return any("network", [&](const auto& value) { return std::ranges::count(network_names(definition), value) > 0; }) &&
           any("volume", [&](const auto& value) { return std::ranges::any_of(definition.mount_points, [&](const auto& point) { return point.name == value || point.target == value; }); }) &&
           (publish_.empty() || std::ranges::any_of(publish_, [&](const auto& range) {
              return std::ranges::any_of(definition.ports, [&](const auto& port) { return in(range, port.container_port, port.protocol) || in(range, port.host_port, port.protocol); });
            })) &&
           (expose_.empty() || std::ranges::any_of(expose_, [&](const auto& range) {
              return std::ranges::any_of(definition.exposed_ports, [&](const auto& text) {
                const auto parts = split_once(text, '/');
                return in(range, static_cast<int>(parse_int(parts ? parts->first : text).value_or(0)), std::string(parts ? parts->second : "tcp"));
              });
            }));
  }

 private:
  std::vector<std::string> values(const std::string& key) const {
    const auto found = filters_.find(key);
    return found == filters_.end() ? std::vector<std::string>() : found->second;
  }
  template <class Matches>
  bool any(const std::string& key, const Matches& matches) const {
    const auto found = filters_.find(key);
    return found == filters_.end() || std::ranges::any_of(found->second, matches);
  }
  Result<> check_words(const std::string& key, std::span<const std::string_view> known) const {
    for (const auto& text : values(key))
      if (std::ranges::find(known, text) == known.end()) return fail(Error(Errc::invalid_argument, format("invalid filter '{}={}'", key, text)).with_hint("use one of: " + joined(known)));
    return {};
  }
  static std::string joined(std::span<const std::string_view> words) {
    std::string out;
    for (const auto one : words) out += (out.empty() ? "" : ", ") + std::string(one);
    return out;
  }

  Filters filters_;
  Ancestors ancestors_;
  std::optional<std::int64_t> before_, since_;
  std::vector<PortRange> publish_, expose_;
  bool all_ = false, nothing_ = false;
  int last_ = -1;
};

/// The image's name as long as it is that image's.
class ImageNames {
 public:
  explicit ImageNames(Engine& engine) : engine_(engine) {}
  std::string shown(const Row& row) {
    const auto [at, fresh] = ids_.try_emplace(row.image);
    if (fresh)
      if (auto image = engine_.images().resolve(row.image)) at->second = image->id.digest.str();
    return at->second == row.image_id ? row.image : row.image_id.substr(kDigestPrefix, kShortDigits);
  }

 private:
  Engine& engine_;
  std::map<std::string, std::string> ids_;
};

}  // namespace

Result<std::vector<ListedContainer>> list(Engine& engine, const ListContainers& request) {
  const auto selection = TRY(Selection::make(engine, request));
  const bool definitions = request.definitions || selection.needs_definitions();
  auto rows = TRY(list_containers(engine, definitions));
  ImageNames names(engine);
  std::vector<ListedContainer> out;
  for (auto& row : rows) {
    if (request.last > 0 && static_cast<int>(out.size()) >= request.last) break;
    if (!selection.has(row)) continue;
    ListedContainer listed{.image = names.shown(row)};
    if (definitions) {
      auto definition = TRY(container::from_document(row.definition));
      if (!selection.has(definition)) continue;
      listed.definition = std::move(definition);
    }
    if (request.sizes) {
      listed.size = container_size(engine, row.id);
      listed.root_size = listed.size;
      if (const auto id = oci::Digest::parse(row.image_id))
        if (auto image = engine.images().find(oci::ImageId{*id}); image && *image) listed.root_size += (*image)->bytes;
    }
    row.definition.clear();
    listed.row = std::move(row);
    out.push_back(std::move(listed));
  }
  return out;
}

std::string health_word(const container::State& state) {
  if (state.health.empty()) return {};
  const auto health = json::parse(state.health);
  return health ? health->string_or("Status") : "";
}

std::string status_text(const container::State& state) {
  const std::string health = is_running({.state = state}) ? health_word(state) : "";
  const std::string up = format("Up {}", human_duration(seconds_since(state.started)));
  switch (state.status) {
    case Status::running: return health.empty() || health == "none" ? up : health == "starting" ? up + " (health: starting)" : format("{} ({})", up, health);
    case Status::paused: return up + " (Paused)";
    case Status::restarting: return format("Restarting ({}) {} ago", state.exit_code, human_duration(seconds_since(state.finished)));
    case Status::exited: return format("Exited ({}) {} ago", state.exit_code, human_duration(seconds_since(state.finished)));
    case Status::removing: return "Removal In Progress";
    case Status::dead: return "Dead";
    case Status::created: break;
  }
  return "Created";
}

std::vector<std::string> network_names(const container::Definition& definition) {
  std::vector<std::string> out;
  for (const auto& endpoint : definition.endpoints) out.push_back(endpoint.network == "default" ? "bridge" : endpoint.network);
  if (out.empty() && !definition.network_mode.starts_with("container:")) out.push_back(definition.network_mode == "default" ? "bridge" : definition.network_mode);
  std::ranges::sort(out);
  return out;
}

std::int64_t container_size(Engine& engine, const std::string& id) { return folder_bytes(container_folder(engine, id) + "/fs"); }

std::int64_t folder_bytes(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::set<std::pair<dev_t, ino_t>> seen;
  return folder < 0 ? 0 : tree_bytes(folder, seen);
}

}  // namespace mica::engine
