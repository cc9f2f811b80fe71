/// --build-context NAME=VALUE: named contexts that take the place of stages and images.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "build/graph.h"

namespace mica::build {

/// True when a context's value is an image (docker-image://, oci-layout://), not files.
bool is_image_context(const NamedContext& context);

class NamedContexts {
 public:
  /// Names are references as Docker reads them ("alpine" also stands for docker.io/library/alpine:latest), with an optional
  /// "::os/arch". "scratch" and "context" are never replaced. Errors: invalid_argument (a name that is no reference).
  static Result<NamedContexts> make(const std::vector<NamedContext>& contexts, const oci::Platform& target);

  /// The context for a stage or image name on a platform (the result's when nullptr); nullptr when there is none.
  const NamedContext* find(std::string_view name, const oci::Platform* platform) const;

 private:
  std::map<std::string, NamedContext, std::less<>> by_key_;  ///< "alpine:3.20", "alpine::linux/arm64"
  oci::Platform target_;
};

}  // namespace mica::build
