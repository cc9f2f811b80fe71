/// From the flags of `build` to a request of the engine.
#pragma once
#include <string>

#include "cli/args.h"
#include "engine/build_image.h"

namespace mica::cli {

/// What `build` was told to do: the request, and what is done with its result.
struct BuildCall {
  engine::BuildImage request;
  std::string progress = "auto";     ///< auto, plain, tty, rawjson, quiet, none
  std::string iid_file, metadata_file;
  bool json = false;                 ///< --call=...,format=json
  bool lint = true;                  ///< false: --no-lint
};

/// The environment's part: DOCKER_DEFAULT_PLATFORM, BUILDKIT_PROGRESS, and what the flags name (--secret, --ssh, --build-arg K).
/// Errors: invalid_argument and unsupported, naming the flag; with exit status 125 for values that Docker's flag parser refuses;
/// not_found (secrets, keys).
Result<BuildCall> build_call(const Args& args);

/// Docker's habit: `proxies.default` of the client's config.json becomes build arguments HTTP_PROXY and so on, for names that
/// `build_args` has not. A missing or unreadable file adds none.
void add_configured_proxies(const std::string& config_file, std::vector<std::string>& build_args);
/// $DOCKER_CONFIG/config.json, else ~/.docker/config.json; empty without home.
std::string client_config_file();

}  // namespace mica::cli
