#include "compose/load.h"

#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "compose/canonical.h"
#include "compose/merge.h"
#include "sys/fd.h"

namespace mica::compose {

namespace {

using json::Object;
using json::Value;

constexpr std::size_t kMaxFileBytes = 4 << 20;
constexpr int kMaxExtends = 50;

struct File {
  std::string path, folder;
  Value value;
  json::Place place;
};

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

const json::Place* place_at(const json::Value& value, const json::Place& place, std::string_view member) {
  if (!value.is_object()) return nullptr;
  for (std::size_t i = 0; i < value.as_object().size() && i < place.children.size(); ++i)
    if (value.as_object()[i].first == member) return &place.children[i];
  return nullptr;
}

class Loader {
 public:
  explicit Loader(LoadContext& context) : context_(context) {}

  Result<Value> load(const std::string& path, const std::string& folder) {
    auto file = TRY(read(path, folder));
    Value model = Object{};
    if (const auto* include = file.value.find("include")) TRY(include_all(file, *include, model));
    Value own = with_marks(file.value, file.place);
    own.erase("include");
    TRY(extend_services(file, own));
    canonical(file, own);
    // Marks are for what the caller has below.
    return model.as_object().empty() ? own : merge_projects(model, own);
  }

 private:
  void problem(const File& file, const json::Place* place, std::string where, std::string text, std::string hint = {}) {
    context_.problems.push_back({file.path, place ? place->line : 0, place ? place->column : 0, std::move(where), std::move(text), std::move(hint)});
  }

  Result<File> read(const std::string& path, const std::string& folder) {
    std::string text;
    if (path == "-") {
      const sys::Fd input(::dup(STDIN_FILENO));
      text = TRY_DOING(sys::read_fd(input, kMaxFileBytes), "reading the compose file from standard input");
    } else {
      auto read = sys::read_file(path, kMaxFileBytes);
      if (!read && read.error().code() == Errc::not_found) return failf(Errc::not_found, "open {}: no such file or directory", path);
      text = TRY(std::move(read));
    }
    auto documents = json::parse_yaml_documents(text);
    if (!documents) return fail(std::move(documents).error().doing(format("parsing {}", path)));
    File file{.path = path, .folder = folder, .value = Object{}, .place = {}};
    if (!documents->empty()) {
      file.value = std::move((*documents)[0].value);
      file.place = std::move((*documents)[0].place);
    }
    if (file.value.is_null()) return fail(Error(Errc::invalid_argument, format("{}: empty compose file", path)));
    if (!file.value.is_object()) return fail(Error(Errc::invalid_argument, "Top-level object must be a mapping").at({.file = path, .line = file.place.line}));
    if (file.value.find("version"))
      context_.warnings.push_back(format("{}: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion", path));
    drop_version(file);
    if (context_.interpolate) expand(file, file.value, file.place, "");
    check(kProject, file.value, file.place, path, "", context_.problems);
    return file;
  }

  /// The value and its places stay in step.
  static void drop_version(File& file) {
    auto& members = file.value.as_object();
    const auto at = std::ranges::find_if(members, [](const auto& one) { return one.first == "version"; });
    if (at == members.end()) return;
    const auto index = at - members.begin();
    members.erase(at);
    if (index < static_cast<std::ptrdiff_t>(file.place.children.size())) file.place.children.erase(file.place.children.begin() + index);
  }

  void expand(const File& file, Value& value, const json::Place& place, const std::string& where) {
    if (value.is_string()) {
      if (value.as_string().find('$') == std::string::npos) return;
      auto expanded = context_.variables.expand(value.as_string());
      if (!expanded) return problem(file, &place, where, expanded.error().message());
      value = std::move(*expanded);
    } else if (value.is_object()) {
      std::size_t i = 0;
      for (auto& [name, member] : value.as_object()) {
        expand(file, member, i < place.children.size() ? place.children[i] : place, where.empty() ? name : where + "." + name);
        ++i;
      }
    } else if (value.is_array()) {
      std::size_t i = 0;
      for (auto& item : value.as_array()) {
        expand(file, item, i < place.children.size() ? place.children[i] : place, format("{}[{}]", where, i));
        ++i;
      }
    }
  }

  Result<> include_all(const File& file, const Value& include, Value& model) {
    if (!include.is_array()) return {};
    for (const auto& item : include.as_array()) {
      std::vector<std::string> paths, env_files;
      if (item.is_string()) paths = {item.as_string()};
      const auto texts = [](const Value* value) {
        std::vector<std::string> out;
        if (value && value->is_string()) out.push_back(value->as_string());
        if (value && value->is_array())
          for (const auto& one : value->as_array()) out.push_back(scalar_text(one));
        return out;
      };
      if (item.is_object()) {
        paths = texts(item.find("path"));
        env_files = texts(item.find("env_file"));
      }
      if (paths.empty()) continue;
      for (auto& path : paths) path = absolute(path, file.folder);
      std::string folder = folder_of(paths[0]);
      if (item.is_object() && item.find("project_directory")) folder = absolute(item.string_or("project_directory"), file.folder);
      // What is included has variables of its own, behind ours.
      engine::ComposeVariables variables = context_.variables;
      engine::ComposeVariables own{std::map<std::string, std::string>()};
      if (env_files.empty() && sys::exists(folder + "/.env")) env_files = {folder + "/.env"};
      for (const auto& path : env_files) {
        const std::string full = absolute(path, file.folder);
        const auto text = TRY_DOING(sys::read_file(full, kMaxFileBytes), format("reading {}", full));
        TRY(own.add_file(full, text));
      }
      for (const auto& [name, value] : own.values())
        if (!variables.value(name)) variables.set(name, value);
      Value included = Object{};
      for (const auto& path : paths) {
        if (std::ranges::count(context_.reading, path)) return failf(Errc::invalid_argument, "include cycle detected: {} includes {}", join(context_.reading, " includes "), path);
        LoadContext inner{.variables = variables, .interpolate = context_.interpolate, .resolve_paths = context_.resolve_paths, .problems = {}, .warnings = {}, .reading = context_.reading};
        inner.reading.push_back(path);
        auto loaded = Loader(inner).load(path, folder);
        std::ranges::move(inner.problems, std::back_inserter(context_.problems));
        std::ranges::move(inner.warnings, std::back_inserter(context_.warnings));
        auto value = TRY(std::move(loaded));
        included = merge_projects(included, value);
      }
      included = without_marks(std::move(included));
      included.erase("name");
      for (const char* kind : {"services", "networks", "volumes", "secrets", "configs"}) {
        const auto* there = model.find(kind);
        const auto* more = included.find(kind);
        if (!there || !more || !there->is_object() || !more->is_object()) continue;
        for (const auto& [name, value] : more->as_object())
          if (const auto* other = there->find(name); other && *other != value)
            problem(file, nullptr, "include", format("{}.{} conflicts with imported resource", kind, name));
      }
      model = merge_projects(model, included);
    }
    return {};
  }

  CanonicalOptions options(const File& file) const { return {.folder = context_.resolve_paths ? file.folder : ""}; }

  /// Marks are taken off for the canonical forms and put back.
  void canonical_one(const File& file, const std::string& name, Value& service) {
    if (!service.is_object()) return;
    std::vector<std::string> overridden;
    for (auto& [member, value] : service.as_object())
      if (auto* inner = marked(value)) {
        Value taken = std::move(*inner);
        value = std::move(taken);
        overridden.push_back(member);
      }
    if (auto done = canonical_service(service, options(file)); !done) {
      const auto* services = place_at(file.value, file.place, "services");
      const auto* place = services && file.value.find("services") ? place_at(*file.value.find("services"), *services, name) : nullptr;
      std::string text = done.error().message();
      std::string where = "services." + name;
      if (place && file.value.find("services")->find(name)) {
        const auto colon = text.find(": ");
        const std::string member = text.substr(0, colon == text.npos ? 0 : colon);
        if (const auto* inner = place_at(*file.value.find("services")->find(name), *place, member)) {
          place = inner;
          where += "." + member;
          text = text.substr(colon + 2);
        }
      }
      problem(file, place, where, text);
    }
    for (const auto& member : overridden)
      if (auto* value = service.find(member)) *value = Object{{"\x01override", std::move(*value)}};
  }

  void canonical(const File& file, Value& model) {
    if (auto* services = model.find("services"); services && services->is_object())
      for (auto& [name, service] : services->as_object()) canonical_one(file, name, service);
    const auto each = [&](const char* kind, auto&& make) {
      auto* all = model.find(kind);
      if (!all || !all->is_object()) return;
      for (auto& [name, value] : all->as_object())
        if (auto done = make(value); !done) problem(file, place_at(file.value, file.place, kind), format("{}.{}", kind, name), done.error().message());
    };
    each("networks", [](Value& value) { return canonical_network(value); });
    each("volumes", [](Value& value) { return canonical_volume(value); });
    each("secrets", [&](Value& value) { return canonical_file_object(value, options(file)); });
    each("configs", [&](Value& value) { return canonical_file_object(value, options(file)); });
  }

  Result<> extend_services(const File& file, Value& model) {
    auto* services = model.find("services");
    if (!services || !services->is_object()) return {};
    for (auto& [name, service] : services->as_object()) {
      if (!service.is_object() || !service.find("extends")) continue;
      auto extended = TRY(extended_service(file, model, name, 0));
      service = std::move(extended);
    }
    return {};
  }

  /// The service with everything that it extends below it; what comes from other files is canonical already, as is the result.
  Result<Value> extended_service(const File& file, const Value& model, const std::string& name, int depth) {
    const auto* services = model.find("services");
    const auto* found = services ? services->find(name) : nullptr;
    if (!found) return failf(Errc::not_found, "cannot extend service {} in {}: service not found", quoted(name), file.path);
    Value service = *found;
    if (!service.is_object() || !service.find("extends")) {
      canonical_one(file, name, service);
      return service;
    }
    if (depth > kMaxExtends) return failf(Errc::invalid_argument, "circular reference with extends: service {} in {}", quoted(name), file.path);
    const Value extends = *service.find("extends");
    service.erase("extends");
    canonical_one(file, name, service);
    const std::string base_name = extends.is_string() ? extends.as_string() : extends.string_or("service");
    const std::string other = extends.is_object() ? extends.string_or("file") : "";
    if (base_name.empty()) return failf(Errc::invalid_argument, "services.{}.extends.service is required", name);
    Value base;
    if (other.empty()) {
      base = TRY(extended_service(file, model, base_name, depth + 1));
    } else {
      const std::string path = absolute(other, file.folder);
      auto there = TRY_DOING(read(path, folder_of(path)), format("extending service {}", quoted(name)));
      const Value marked_model = with_marks(there.value, there.place);
      base = TRY(extended_service(there, marked_model, base_name, depth + 1));
    }
    return merge_services(without_marks(std::move(base)), service);
  }

  LoadContext& context_;
};

}  // namespace

Result<Value> load_file(LoadContext& context, const std::string& path, const std::string& folder) {
  context.reading.push_back(path);
  auto loaded = Loader(context).load(path, folder);
  context.reading.pop_back();
  return loaded;
}

}  // namespace mica::compose
