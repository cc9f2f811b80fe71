#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "engine/build_image.h"

namespace mica::engine {
namespace {

constexpr std::size_t kMaxSecretBytes = 500 << 10;   // Docker's limit
constexpr std::string_view kOutputTypes[] = {"image", "docker", "oci", "local", "tar", "cacheonly", "registry"};
constexpr std::string_view kOutputKeys[] = {"type", "dest", "name", "tar", "mode", "compression", "compression-level", "push", "oci-mediatypes",
                                            "unpack", "store", "annotation"};
constexpr std::string_view kCacheKeys[] = {"type", "src", "dest", "mode", "ignore-error"};

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// One line of CSV (RFC 4180): fields in quotes may hold commas; "" is a quote.
Result<std::vector<std::string>> csv_fields(std::string_view text) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',') {
      fields.emplace_back();
    } else if (text[i] == '"' && fields.back().empty()) {
      for (++i; i < text.size() && (text[i] != '"' || (i + 1 < text.size() && text[i + 1] == '"')); ++i) {
        if (text[i] == '"') ++i;
        fields.back() += text[i];
      }
      if (i >= text.size()) return failf(Errc::invalid_argument, "unclosed quote in {}", quoted(text));
    } else {
      fields.back() += text[i];
    }
  }
  return fields;
}

Result<Pairs> csv_pairs(std::string_view text) {
  const auto fields = TRY(csv_fields(text));
  Pairs pairs;
  for (const auto& field : fields) {
    const auto pair = split_once(field, '=');
    if (!pair) return failf(Errc::invalid_argument, "invalid value {}: expected key=value", quoted(field));
    pairs.emplace_back(to_lower(pair->first), std::string(pair->second));
  }
  return pairs;
}

Error unknown(std::string_view what, std::string_view word, std::span<const std::string_view> known, std::string_view in) {
  Error error(Errc::invalid_argument, format("unknown {} {} in {}", what, quoted(word), quoted(in)));
  if (const auto near = closest(word, known)) std::move(error).with_hint(format("did you mean {}?", *near));
  return error;
}

Result<bool> boolean(std::string_view key, std::string_view value) {
  if (value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  return failf(Errc::invalid_argument, "{} is true or false, not {}", key, quoted(value));
}

Result<> set_output_key(BuildOutput& output, const std::string& key, const std::string& value, std::string_view text) {
  if (key == "dest") output.destination = value;
  else if (key == "name") output.name = value;
  else if (key == "compression") output.compression = value;
  else if (key.starts_with("annotation.")) output.annotations.emplace_back(key.substr(11), value);
  else if (key == "tar") {
    const bool tar = TRY(boolean(key, value));
    output.as_folder = !tar;
  } else if (key == "mode") {
    if (value != "copy" && value != "delete") return failf(Errc::invalid_argument, "mode is copy or delete, not {}", quoted(value));
    output.delete_stale = value == "delete";
  } else if (key == "compression-level") {
    const auto level = parse_int(value);
    if (!level || *level < 0 || *level > 22) return failf(Errc::invalid_argument, "compression-level is a number from 0 to 22, not {}", quoted(value));
    output.compression_level = static_cast<int>(*level);
  } else if (key == "push") {
    const bool push = TRY(boolean(key, value));
    if (push) return fail(Error(Errc::unsupported, "push=true of an output is not supported yet").with_hint("build with -t and use 'mica push'"));
  } else if (key == "oci-mediatypes" || key == "unpack" || key == "store") {
    const bool wanted = TRY(boolean(key, value));
    if (!wanted) return failf(Errc::unsupported, "{}=false is not supported: mica always writes OCI media types and keeps layers unpacked", key);
  } else if (key != "type") {
    return fail(unknown("output attribute", key, kOutputKeys, text));
  }
  return {};
}

}  // namespace

Result<BuildOutput> parse_output(std::string_view text) {
  BuildOutput output;
  if (text.empty()) return fail(Errc::invalid_argument, "an output needs a value: type=local,dest=PATH, PATH or -");
  if (text == "-") return BuildOutput{.kind = BuildOutput::Kind::tar, .destination = "-"};
  if (text.find('=') == text.npos && text.find(',') == text.npos) return BuildOutput{.kind = BuildOutput::Kind::local, .destination = std::string(text)};
  const Pairs pairs = TRY_DOING(csv_pairs(text), format("reading output {}", quoted(text)));
  std::string type;
  for (const auto& [key, value] : pairs) {
    TRY(set_output_key(output, key, value, text));
    if (key == "type") type = value;
  }
  if (type.empty()) return failf(Errc::invalid_argument, "type is required for output {}", quoted(text));
  if (type == "registry") return fail(Error(Errc::unsupported, "output type registry is not supported yet").with_hint("build with -t and use 'mica push'"));
  if (type == "image") output.kind = BuildOutput::Kind::image;
  else if (type == "docker") output.kind = BuildOutput::Kind::docker;
  else if (type == "oci") output.kind = BuildOutput::Kind::oci;
  else if (type == "local") output.kind = BuildOutput::Kind::local;
  else if (type == "tar") output.kind = BuildOutput::Kind::tar;
  else if (type == "cacheonly") output.kind = BuildOutput::Kind::cache_only;
  else return fail(unknown("output type", type, kOutputTypes, text));
  const bool needs_destination = output.kind == BuildOutput::Kind::local || (output.kind == BuildOutput::Kind::oci && output.as_folder);
  if (needs_destination && output.destination.empty()) return failf(Errc::invalid_argument, "dest is required for {} output", type);
  if (needs_destination && output.destination == "-") return failf(Errc::invalid_argument, "dest=- is not a folder, as {} output needs it", type);
  if ((output.kind == BuildOutput::Kind::oci || output.kind == BuildOutput::Kind::tar) && output.destination.empty()) output.destination = "-";
  return output;
}

Result<CacheStore> parse_cache(std::string_view text, bool to) {
  const std::string_view flag = to ? "--cache-to" : "--cache-from";
  if (text.find('=') == text.npos)
    return failf(Errc::unsupported, "{} {}: caches in registries are not supported yet; use type=local,{}=PATH", flag, text, to ? "dest" : "src");
  const Pairs pairs = TRY_DOING(csv_pairs(text), format("reading {} {}", flag, quoted(text)));
  CacheStore store;
  std::string type;
  for (const auto& [key, value] : pairs) {
    if (key == "type") type = value;
    else if (key == (to ? "dest" : "src")) store.path = value;
    else if (key == "mode" && to) {
      if (value != "min" && value != "max") return failf(Errc::invalid_argument, "mode is min or max, not {}", quoted(value));
      store.max = value == "max";
    } else if (key == "ignore-error" && to) {
      store.ignore_error = TRY(boolean(key, value));
    } else {
      return fail(unknown("cache attribute", key, kCacheKeys, text));
    }
  }
  if (type != "local") return failf(Errc::unsupported, "{} type={} is not supported yet: use type=local", flag, type);
  if (store.path.empty()) return failf(Errc::invalid_argument, "{} type=local needs {}=PATH", flag, to ? "dest" : "src");
  return store;
}

Result<build::SecretSource> parse_secret(std::string_view text) {
  const auto fields = TRY(csv_fields(text));
  std::string id, type, source, variable;
  for (const auto& field : fields) {
    const auto pair = split_once(field, '=');
    if (!pair) return failf(Errc::invalid_argument, "invalid --secret field {}: expected key=value", quoted(field));
    const std::string key = to_lower(pair->first), value(pair->second);
    if (key == "id") id = value;
    else if (key == "type") type = value;
    else if (key == "src" || key == "source") source = value;
    else if (key == "env") variable = value;
    else return failf(Errc::invalid_argument, "unexpected key {} in --secret {}: use id, src, env or type", quoted(key), quoted(text));
  }
  if (id.empty()) return failf(Errc::invalid_argument, "--secret {} needs id=NAME", quoted(text));
  if (!type.empty() && type != "file" && type != "env") return failf(Errc::invalid_argument, "--secret type is file or env, not {}", quoted(type));
  if (type == "env" && variable.empty()) variable = source.empty() ? id : source, source.clear();
  if (variable.empty() && source.empty() && type != "file" && std::getenv(id.c_str())) variable = id;
  if (!variable.empty()) {
    const char* value = std::getenv(variable.c_str());
    if (!value) return failf(Errc::not_found, "--secret {}: the environment has no variable {}", quoted(id), variable);
    return build::SecretSource{.id = id, .value = Secret(value)};
  }
  auto value = TRY_DOING(sys::read_file(source.empty() ? id : source, kMaxSecretBytes), format("reading secret {}", quoted(id)));
  return build::SecretSource{.id = id, .value = Secret(std::move(value))};
}

Result<build::SshSource> parse_ssh(std::string_view text) {
  const auto pair = split_once(text, '=');
  build::SshSource source{.id = std::string(pair ? pair->first : text)};
  if (source.id.empty()) return failf(Errc::invalid_argument, "--ssh {} needs an id (\"default\")", quoted(text));
  if (!pair) {
    const char* socket = std::getenv("SSH_AUTH_SOCK");
    if (!socket || !*socket)
      return fail(Error(Errc::invalid_argument, format("--ssh {}: no ssh agent is running here (SSH_AUTH_SOCK is not set)", source.id))
                      .with_hint(format("start one with 'eval $(ssh-agent)', or give a key: --ssh {}=PATH", source.id)));
    source.socket = socket;
    return source;
  }
  for (const auto path : split(pair->second, ',')) {
    struct stat status {};
    if (::stat(std::string(path).c_str(), &status) != 0) return failf(Errc::not_found, "--ssh {}: no such file: {}", source.id, quoted(path));
    if (S_ISSOCK(status.st_mode)) source.socket = path;
    else source.keys.emplace_back(path);
  }
  if (!source.socket.empty() && !source.keys.empty()) return failf(Errc::invalid_argument, "--ssh {}: give an agent's socket or keys, not both", source.id);
  return source;
}

}  // namespace mica::engine
