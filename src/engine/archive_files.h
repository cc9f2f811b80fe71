/// The files of an image archive by path: a tar spooled to a temporary folder, or a folder as it is (OCI layout).
#pragma once
#include <map>
#include <string>

#include "engine/engine.h"
#include "stream/stream.h"

namespace mica::engine {

class ArchiveFiles {
 public:
  /// Spools regular files of a tar (compressed or not) under numbered names; names in the archive are only ever used as keys, so
  /// they cannot lead anywhere. Links inside (old Docker archives) become further keys.
  /// Errors: corrupt, resource_exhausted, cancelled.
  static Result<ArchiveFiles> spool(stream::Source& tar, const std::string& folder, task::Cancel cancel);
  /// Files of a folder, opened confined to it.
  static Result<ArchiveFiles> folder(const std::string& path);

  bool has(const std::string& path) const;
  Result<sys::Fd> open(const std::string& path) const;                        ///< errors: not_found
  Result<std::string> read(const std::string& path, std::size_t limit = 16 << 20) const;

 private:
  std::string folder_;
  bool direct_ = false;
  std::map<std::string, std::string> files_;    ///< clean path -> file name in folder_
};

}  // namespace mica::engine
