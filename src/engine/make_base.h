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
/// The same packages give the same image at any time: what mmdebstrap makes bears the time of the newest file of the packages, or
/// SOURCE_DATE_EPOCH. mmdebstrap's messages go to stderr; it ends, with all it started, and leaves nothing, when this process does.
/// Errors: not_found (mmdebstrap is not installed), unavailable (it failed), cancelled.
Result<oci::ImageId> make_base(Engine& engine, const MakeBase& request, task::Cancel cancel);

}  // namespace mica::engine
