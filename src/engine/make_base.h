/// `base`: a base image from distribution packages, by mmdebstrap.
#pragma once
#include <string>
#include <vector>

#include "engine/engine.h"

namespace mica::engine {

struct MakeBase {
  std::string name;                        ///< NAME[:TAG]
  std::string suite;                       ///< bookworm, trixie, sid, ...
  std::string variant = "minbase";
  std::vector<std::string> include;        ///< packages
  std::string mirror;                      ///< URL; empty: mmdebstrap's choice
  std::vector<std::string> changes;        ///< CMD, ENV, LABEL as Dockerfile instructions
  std::string platform;
};
/// With SOURCE_DATE_EPOCH set the same packages give the same image. mmdebstrap's messages go to stderr.
/// Errors: not_found (mmdebstrap is not installed), unavailable (it failed), cancelled.
Result<oci::ImageId> make_base(Engine& engine, const MakeBase& request, task::Cancel cancel);

}  // namespace mica::engine
