/// Image documents: descriptor, manifest, index and config, as values. A digest is of bytes: callers keep the raw bytes beside a
/// parsed document. (OCI Image Spec v1.1; Docker's schema 2 media types are read alike.)
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "json/json.h"
#include "oci/digest.h"
#include "oci/platform.h"

namespace mica::oci {

using Annotations = std::vector<std::pair<std::string, std::string>>;

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::int64_t size = 0;
  std::optional<Platform> platform;
  Annotations annotations;
  bool operator==(const Descriptor&) const = default;
};

struct Manifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;
  Annotations annotations;
  static Result<Manifest> parse(std::string_view bytes);   ///< errors: corrupt, unsupported (schema 1)
  std::string write() const;
  bool operator==(const Manifest&) const = default;
};

struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;
  Annotations annotations;
  static Result<Index> parse(std::string_view bytes);
  std::string write() const;
  bool operator==(const Index&) const = default;
};

struct Healthcheck {
  std::vector<std::string> test;     ///< {"NONE"}, {"CMD", ...}, {"CMD-SHELL", text}
  std::int64_t interval = 0, timeout = 0, start_period = 0, start_interval = 0;  ///< ns; 0: default
  int retries = 0;
  bool operator==(const Healthcheck&) const = default;
};

struct History {
  std::optional<Timestamp> created;
  std::string created_by;
  std::string author;
  std::string comment;
  bool empty_layer = false;
  bool operator==(const History&) const = default;
};

/// The image config document. Members unknown to us are kept in `extra` / `config_extra` and written again.
struct ImageConfig {
  std::optional<Timestamp> created;
  std::string author;
  Platform platform;
  // config
  std::string user;
  std::vector<std::string> exposed_ports;                          ///< "80/tcp", sorted set
  std::vector<std::string> env;                                    ///< "K=V"
  std::optional<std::vector<std::string>> entrypoint, cmd;         ///< nullopt: absent; empty: []
  std::vector<std::string> volumes;                                ///< sorted set
  std::string working_dir;
  std::vector<std::pair<std::string, std::string>> labels;         ///< sorted by key when written
  std::string stop_signal;
  std::optional<Healthcheck> healthcheck;
  bool args_escaped = false;
  std::vector<std::string> on_build;
  std::vector<std::string> shell;
  // rootfs
  std::vector<DiffId> diff_ids;
  std::vector<History> history;
  json::Value config_extra;                                        ///< object of unknown members of "config", or null
  json::Value extra;                                               ///< object of unknown top-level members, or null

  /// Errors: corrupt (not an image config, wrong types, history and diff_ids that cannot match).
  static Result<ImageConfig> parse(std::string_view bytes);
  /// Canonical bytes: members in BuildKit's order (architecture, config, created, history, os, rootfs, ... sorted by name as Go
  /// writes them), so that equal values give equal bytes.
  std::string write() const;
  json::Value to_json() const;
  bool operator==(const ImageConfig&) const = default;
};

inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kOciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kOciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr std::string_view kDockerLayerPlain = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr std::string_view kDockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";
inline constexpr std::string_view kOciForeign = "application/vnd.oci.image.layer.nondistributable.v1.tar";         ///< and +gzip, +zstd
inline constexpr std::string_view kDockerForeign = "application/vnd.docker.image.rootfs.foreign.diff.tar";         ///< and .gzip

}  // namespace mica::oci
