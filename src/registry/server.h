/// A registry: the OCI Distribution Spec v1.1 (pull, push, content discovery, content management) over a Storage.
///
/// Beyond the spec, as the registry that everybody uses does it: GET /v2/_catalog, Docker-Distribution-Api-Version, Docker-Upload-UUID;
/// and `?tag=` (any number of times) when a document is put by its digest.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "http/incoming.h"
#include "registry/storage.h"

namespace mica::registry {

struct RegistryOptions {
  bool read_only = false;            ///< pushes and deletions are refused
  std::string password_file;         ///< see PasswordFile; empty: everybody may do everything
};

/// Thread-safe: a handler for http::Server. The storage must outlive it.
class RegistryServer {
 public:
  /// Errors: those of PasswordFile.
  static Result<std::unique_ptr<RegistryServer>> create(Storage& storage, const RegistryOptions& options);
  ~RegistryServer();
  http::Answer answer(const http::IncomingRequest& request);
  struct State;

 private:
  explicit RegistryServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mica::registry
