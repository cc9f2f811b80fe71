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
constexpr std::string_view kCacheTypes[] = {"registry", "local"};
constexpr std::string_view kCacheFromKeys[] = {"type", "ref", "src"};
constexpr std::string_view kCacheToKeys[] = {"type", "ref", "dest", "mode", "ignore-error", "compression", "compression-level", "force-compression", "oci-mediatypes", "image-manifest"};
/// BuildKit's other types, and what to do instead.
constexpr std::pair<std::string_view, std::string_view> kCacheTypesNotHere[] = {
    {"inline", "an image carries no cache here: use type=registry with a tag of its own, which holds the steps of all stages"},
    {"gha", "use type=registry, or keep a folder with type=local among what the workflow caches"},
    {"s3", "use type=registry: registries can keep their blobs in S3"},
    {"azblob", "use type=registry: registries can keep their blobs in Azure"}};

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
    output.push = TRY(boolean(key, value));
  } else if (key == "oci-mediatypes" || key == "unpack" || key == "store") {
    const bool wanted = TRY(boolean(key, value));
    if (!wanted) return failf(Errc::unsupported, "{}=false is not supported: mica always writes OCI media types and keeps layers unpacked", key);
  } else if (key != "type") {
    return fail(unknown("output attribute", key, kOutputKeys, text));
  }
  return {};
}

Result<> check_cache_type(std::string_view type, std::string_view flag, std::string_view text) {
  if (type == "registry" || type == "local") return {};
  if (type.empty()) return failf(Errc::invalid_argument, "type is required for {} {}: registry or local", flag, quoted(text));
  for (const auto& [name, instead] : kCacheTypesNotHere)
    if (type == name) return fail(Error(Errc::unsupported, format("{} type={} is not supported", flag, type)).with_hint(std::string(instead)));
  return fail(unknown("cache type", type, kCacheTypes, text));
}

Result<> set_cache_key(CacheStore& store, const std::string& key, const std::string& value, bool to, std::string_view text) {
  if (key == "type" || key == "ref") return {};
  if (key == (to ? "dest" : "src")) {
    store.path = value;
  } else if (!to) {
    return fail(unknown("cache attribute", key, kCacheFromKeys, text));
  } else if (key == "mode") {
    if (value != "min" && value != "max") return failf(Errc::invalid_argument, "mode is min or max, not {}", quoted(value));
    store.max = value == "max";
  } else if (key == "ignore-error") {
    store.ignore_error = TRY(boolean(key, value));
  } else if (key == "force-compression") {
    store.force_compression = TRY(boolean(key, value));
  } else if (key == "compression") {
    if (value == "zstd") store.compression = stream::Compression::zstd;
    else if (value == "gzip") store.compression = stream::Compression::gzip;
    else if (value == "uncompressed") store.compression = stream::Compression::none;
    else if (value == "estargz") return fail(Errc::unsupported, "compression=estargz is not supported: use zstd, gzip or uncompressed");
    else return failf(Errc::invalid_argument, "compression is zstd, gzip or uncompressed, not {}", quoted(value));
  } else if (key == "compression-level") {
    const auto level = parse_int(value);
    if (!level || *level < 0 || *level > 22) return failf(Errc::invalid_argument, "compression-level is a number from 0 to 22, not {}", quoted(value));
    store.level = static_cast<int>(*level);
  } else if (key == "oci-mediatypes" || key == "image-manifest") {
    const bool wanted = TRY(boolean(key, value));
    if (!wanted) return failf(Errc::unsupported, "{}=false is not supported: a cache is always an OCI image manifest", key);
  } else {
    return fail(unknown("cache attribute", key, kCacheToKeys, text));
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
  if (type == "registry") output.push = true;
  if (type == "image" || type == "registry") output.kind = BuildOutput::Kind::image;
  else if (type == "docker") output.kind = BuildOutput::Kind::docker;
  else if (type == "oci") output.kind = BuildOutput::Kind::oci;
  else if (type == "local") output.kind = BuildOutput::Kind::local;
  else if (type == "tar") output.kind = BuildOutput::Kind::tar;
  else if (type == "cacheonly") output.kind = BuildOutput::Kind::cache_only;
  else return fail(unknown("output type", type, kOutputTypes, text));
  if (output.push && output.kind != BuildOutput::Kind::image) return failf(Errc::invalid_argument, "push=true is for outputs of type image, not {}", type);
  const bool needs_destination = output.kind == BuildOutput::Kind::local || (output.kind == BuildOutput::Kind::oci && output.as_folder);
  if (needs_destination && output.destination.empty()) return failf(Errc::invalid_argument, "dest is required for {} output", type);
  if (needs_destination && output.destination == "-") return failf(Errc::invalid_argument, "dest=- is not a folder, as {} output needs it", type);
  if ((output.kind == BuildOutput::Kind::oci || output.kind == BuildOutput::Kind::tar) && output.destination.empty()) output.destination = "-";
  return output;
}

Result<CacheStore> parse_cache(std::string_view text, bool to) {
  const std::string_view flag = to ? "--cache-to" : "--cache-from";
  Pairs pairs;
  if (text.find('=') == text.npos) {
    if (text.find(',') != text.npos) return failf(Errc::invalid_argument, "{} {}: give the flag once for each cache", flag, quoted(text));
    pairs = {{"type", "registry"}, {"ref", std::string(text)}};
  } else {
    pairs = TRY_DOING(csv_pairs(text), format("reading {} {}", flag, quoted(text)));
  }
  CacheStore store;
  std::string type, ref;
  for (const auto& [key, value] : pairs) {
    if (key == "type") type = value;
    else if (key == "ref") ref = value;
  }
  TRY(check_cache_type(type, flag, text));
  store.kind = type == "local" ? CacheStore::Kind::local : CacheStore::Kind::registry;
  for (const auto& [key, value] : pairs) TRY_DOING(set_cache_key(store, key, value, to, text), format("reading {}", flag));
  if (store.kind == CacheStore::Kind::local) {
    if (!ref.empty()) return failf(Errc::invalid_argument, "{} type=local has no ref: use {}=PATH", flag, to ? "dest" : "src");
    if (store.path.empty()) return failf(Errc::invalid_argument, "{} type=local needs {}=PATH", flag, to ? "dest" : "src");
    return store;
  }
  if (!store.path.empty()) return failf(Errc::invalid_argument, "{} type=registry has no {}: use ref=NAME", flag, to ? "dest" : "src");
  if (ref.empty()) return failf(Errc::invalid_argument, "{} type=registry needs ref=NAME", flag);
  store.reference = TRY_DOING(oci::Reference::parse(ref), format("reading {} {}", flag, quoted(ref)));
  if (to && !store.reference.digest.empty()) return failf(Errc::invalid_argument, "{} {}: a cache is written under a tag, not under a digest", flag, quoted(ref));
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
