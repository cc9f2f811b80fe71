#include "engine/compose_bases.h"

#include <cstdlib>
#include <map>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "engine/compose_variables.h"
#include "json/yaml.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

constexpr std::size_t kMaxFileBytes = 4 << 20;
constexpr int kMaxIncludes = 20;

struct Service {
  json::Value image, platform;
  json::Value build;            ///< null, or an object with the context's absolute path
  SourcePosition image_at, build_at;
};
using Services = std::map<std::string, Service>;

bool is_remote(std::string_view context) {
  return context.find("://") != context.npos || context.starts_with("git@") || context.starts_with("github.com/");
}

/// A YAML document of one file, and complaints about it.
struct DocumentView {
  const json::YamlDocument& document;
  const std::string& path;

  SourcePosition at(const std::vector<std::string>& where) const {
    const json::Place& place = document.find(where);
    return {.file = path, .line = place.key_line ? place.key_line : place.line};
  }
  std::unexpected<Error> wrong(const std::vector<std::string>& where, std::string_view why) const {
    return fail(Error(Errc::invalid_argument, format("{}: {}", join(where, "."), why)).at(at(where)));
  }
};

/// KEY: VALUE pairs of a mapping or of a list of "KEY=VALUE".
Result<json::Value> as_mapping(const DocumentView& in, const json::Value& value, const std::vector<std::string>& where, char separator) {
  if (value.is_object() || value.is_null()) return value;
  if (!value.is_array()) return in.wrong(where, "must be a mapping or a list");
  json::Value out = json::Value::object();
  for (const auto& item : value.as_array()) {
    if (!item.is_string()) return in.wrong(where, "must be a list of strings");
    const auto pair = split_once(item.as_string(), separator);
    out.set(pair ? pair->first : item.as_string(), pair ? json::Value(pair->second) : json::Value());
  }
  return out;
}

/// `over` replaces members of `under`; mappings within are joined.
json::Value joined(json::Value under, const json::Value& over) {
  if (!under.is_object() || !over.is_object()) return over;
  for (const auto& [key, value] : over.as_object()) {
    json::Value* const had = under.find(key);
    under.set(key, had && had->is_object() ? joined(*had, value) : value);
  }
  return under;
}

Service joined(Service under, const Service& over) {
  if (!over.image.is_null()) under.image = over.image, under.image_at = over.image_at;
  if (!over.platform.is_null()) under.platform = over.platform;
  if (!over.build.is_null()) under.build = joined(std::move(under.build), over.build), under.build_at = over.build_at;
  return under;
}

/// How a scalar reads in an argument; null is nothing.
std::string word_of(const json::Value& value) { return value.is_string() ? value.as_string() : value.is_null() ? "" : json::write(value); }

class Reader {
 public:
  explicit Reader(ComposeVariables variables) : variables_(std::move(variables)) {}

  Result<Services> file(const std::string& path, const std::string& folder, int depth) {
    if (depth > kMaxIncludes) return failf(Errc::invalid_argument, "{}: files include each other, {} deep", path, kMaxIncludes);
    const auto text = TRY_DOING(sys::read_file(path, kMaxFileBytes), "reading compose file");
    const auto documents = TRY_DOING(json::parse_yaml_documents(text, {.bytes = kMaxFileBytes}), path);
    Services all;
    for (const auto& document : documents) {
      const DocumentView in{document, path};
      if (document.value.is_null()) continue;
      if (!document.value.is_object()) return in.wrong({}, "a compose file is a mapping");
      if (const auto* includes = document.value.find("include")) TRY(include(in, *includes, folder, depth, all));
      const auto* services = document.value.find("services");
      if (!services || services->is_null()) continue;
      if (!services->is_object()) return in.wrong({"services"}, "must be a mapping");
      for (const auto& [name, value] : services->as_object()) {
        std::set<std::string> followed;
        auto one = TRY(service(in, name, folder, followed));
        if (one.build.is_object() && one.build.string_or("context").empty()) one.build.set("context", folder);
        all[name] = joined(std::move(all[name]), one);
      }
    }
    return all;
  }

  ComposeVariables& variables() { return variables_; }
  std::vector<std::string> remarks;

 private:
  /// Replaces variables in all strings of a value.
  Result<> expand(const DocumentView& in, json::Value& value, std::vector<std::string>& where) {
    if (value.is_string()) {
      auto text = variables_.expand(value.as_string());
      if (!text) return fail(std::move(text).error().doing(join(where, ".")).at(in.at(where)));
      value = std::move(*text);
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.as_array().size(); ++i) {
        where.push_back(std::to_string(i));
        TRY(expand(in, value.as_array()[i], where));
        where.pop_back();
      }
    } else if (value.is_object()) {
      for (auto& [key, member] : value.as_object()) {
        where.push_back(key);
        TRY(expand(in, member, where));
        where.pop_back();
      }
    }
    return {};
  }

  /// A member of a service with its variables replaced; null when there is none.
  Result<json::Value> member(const DocumentView& in, const std::string& service, const char* name) {
    std::vector<std::string> where{"services", service, name};
    const json::Value* const found = in.document.value.find("services")->find(service)->find(name);
    json::Value value = found ? *found : json::Value();
    TRY(expand(in, value, where));
    return value;
  }

  Result<json::Value> text_member(const DocumentView& in, const std::string& service, const char* name) {
    auto value = TRY(member(in, service, name));
    if (!value.is_null() && !value.is_string()) return in.wrong({"services", service, name}, "must be a string");
    return value;
  }

  Result<json::Value> build_member(const DocumentView& in, const std::string& service, const std::string& folder) {
    const std::vector<std::string> where{"services", service, "build"};
    auto build = TRY(member(in, service, "build"));
    if (build.is_null()) return build;
    if (build.is_string()) {
      json::Value long_form = json::Value::object();
      long_form.set("context", build);
      build = std::move(long_form);
    }
    if (!build.is_object()) return in.wrong(where, "must be a path or a mapping");
    for (const char* const name : {"context", "dockerfile", "dockerfile_inline"}) {
      const auto* const value = build.find(name);
      if (value && !value->is_null() && !value->is_string()) return in.wrong({"services", service, "build", name}, "must be a string");
    }
    const std::string context = build.string_or("context");
    if (!context.empty() && !is_remote(context)) build.set("context", join_path(folder, context));
    for (const char* const name : {"args", "additional_contexts"})
      if (const auto* const value = build.find(name)) {
        auto mapping = TRY(as_mapping(in, *value, {"services", service, "build", name}, '='));
        build.set(name, std::move(mapping));
      }
    return build;
  }

  Result<Service> service(const DocumentView& in, const std::string& name, const std::string& folder, std::set<std::string>& followed) {
    const auto* const value = in.document.value.find("services")->find(name);
    if (value->is_null()) return Service{};
    if (!value->is_object()) return in.wrong({"services", name}, "must be a mapping");
    Service own{.image_at = in.at({"services", name, "image"}), .build_at = in.at({"services", name, "build"})};
    own.image = TRY(text_member(in, name, "image"));
    own.platform = TRY(text_member(in, name, "platform"));
    own.build = TRY(build_member(in, name, folder));
    auto extends = TRY(member(in, name, "extends"));
    if (extends.is_null()) return own;
    if (!followed.insert(in.path + "\n" + name).second) return in.wrong({"services", name, "extends"}, "services extend each other in a circle");
    const std::string base = extends.is_string() ? extends.as_string() : extends.string_or("service");
    const std::string other = extends.string_or("file");
    if (other.empty()) {
      if (!in.document.value.find("services")->find(base)) return in.wrong({"services", name, "extends"}, format("there is no service {}", quoted(base)));
      auto under = TRY(service(in, base, folder, followed));
      return joined(std::move(under), own);
    }
    const std::string path = join_path(folder, other);
    const auto text = sys::read_file(path, kMaxFileBytes);
    if (!text) return fail(Error(text.error()).doing(format("services.{}.extends", name)).at(in.at({"services", name, "extends"})));
    const auto documents = TRY_DOING(json::parse_yaml_documents(*text, {.bytes = kMaxFileBytes}), path);
    for (const auto& document : documents) {
      const auto* const services = document.value.find("services");
      if (!services || !services->find(base)) continue;
      auto under = TRY(service({document, path}, base, dir_name(path), followed));
      return joined(std::move(under), own);
    }
    return in.wrong({"services", name, "extends"}, format("{} has no service {}", path, quoted(base)));
  }

  Result<> include(const DocumentView& in, const json::Value& value, const std::string& folder, int depth, Services& all) {
    if (!value.is_array()) return in.wrong({"include"}, "must be a list");
    for (const auto& item : value.as_array()) {
      std::vector<std::string> paths;
      std::string project;
      if (item.is_string()) {
        paths.push_back(item.as_string());
      } else {
        paths = item.strings("path");
        if (paths.empty()) paths.push_back(item.string_or("path"));
        project = item.string_or("project_directory");
      }
      for (const auto& one : paths) {
        const auto path = TRY(variables_.expand(one));
        if (is_remote(path)) {
          remarks.push_back(format("{}: {} is included from elsewhere and was left out", in.path, path));
          continue;
        }
        const std::string full = join_path(folder, path);
        auto services = TRY_DOING(file(full, project.empty() ? dir_name(full) : join_path(folder, project), depth + 1), format("{}: include", in.path));
        for (auto& [name, service] : services) all[name] = joined(std::move(all[name]), service);
      }
    }
    return {};
  }

  ComposeVariables variables_;
};

ComposeBuild build_of(const std::string& name, const Service& service) {
  const json::Value& build = service.build;
  ComposeBuild out{.service = name, .text = build.string_or("dockerfile_inline"), .where = service.build_at};
  const std::string context = build.string_or("context", ".");
  out.dockerfile = out.text.empty() ? join_path(context, build.string_or("dockerfile", "Dockerfile")) : format("dockerfile_inline of {}", name);
  if (const auto* const args = build.find("args"); args && args->is_object())
    for (const auto& [key, value] : args->as_object()) {
      if (!value.is_null()) out.build_args.push_back(key + "=" + word_of(value));
      else if (const char* own = std::getenv(key.c_str())) out.build_args.push_back(key + "=" + own);
    }
  out.platforms = build.strings("platforms");
  if (out.platforms.empty() && service.platform.is_string()) out.platforms.push_back(service.platform.as_string());
  if (const auto* const contexts = build.find("additional_contexts"); contexts && contexts->is_object())
    for (const auto& [key, value] : contexts->as_object()) {
      const std::string text = word_of(value);
      out.contexts.emplace_back(key, text.starts_with("service:") ? "docker-image://" + text.substr(8) : text);
    }
  return out;
}

}  // namespace

bool is_compose_file(std::string_view path) { return path.ends_with(".yml") || path.ends_with(".yaml"); }

Result<ComposeBases> read_compose_bases(const std::string& path) {
  const std::string folder = dir_name(path);
  auto variables = TRY(ComposeVariables::load(folder));
  Reader reader(std::move(variables));
  const auto services = TRY(reader.file(path, folder, 0));
  ComposeBases out;
  std::set<std::string> made;
  for (const auto& [name, service] : services)
    if (!service.build.is_null() && service.image.is_string()) made.insert(service.image.as_string());
  for (const auto& [name, service] : services) {
    const std::string context = service.build.string_or("context");
    if (!service.build.is_null() && is_remote(context)) {
      reader.remarks.push_back(format("{}: service {} is built from {} and was left out", path, name, context));
    } else if (!service.build.is_null()) {
      out.builds.push_back(build_of(name, service));
    } else if (service.image.is_string() && !service.image.as_string().empty() && !made.contains(service.image.as_string())) {
      out.images.push_back({.service = name, .image = service.image.as_string(), .where = service.image_at});
    }
  }
  out.remarks = std::move(reader.remarks);
  for (const auto& name : reader.variables().unset()) out.remarks.push_back(format("variable {} is not set: it counts as empty", name));
  return out;
}

}  // namespace mica::engine
