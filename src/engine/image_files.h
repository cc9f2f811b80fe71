/// The files of an image archive or layout, to be read and not to be kept: a plain tar is indexed and read where it lies, a folder as it is; what comes compressed or as a
/// stream is spooled to a temporary folder first.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/archive_files.h"
#include "stream/stream.h"
#include "sys/fd.h"
#include "task/task.h"

namespace mica::engine {

class ImageFiles {
 public:
  /// `path`: a folder, a file, or "-" for standard input. Errors: not_found, corrupt (no archive), resource_exhausted, cancelled.
  static Result<ImageFiles> open(const std::string& path, task::Cancel cancel);
  bool has(const std::string& name) const;
  /// Several may be read side by side. Errors: not_found.
  Result<std::unique_ptr<stream::Source>> open_file(const std::string& name) const;
  Result<std::string> read(const std::string& name, std::size_t limit) const;
  Result<std::int64_t> size(const std::string& name) const;

 private:
  struct Place {
    std::uint64_t offset = 0, size = 0;
  };
  class Part;
  /// False: the tar has something that the index does not know, such as sparse files.
  Result<bool> index(const sys::Fd& file, std::uint64_t size, const task::Cancel& cancel);
  Result<Place> find(const std::string& name) const;
  std::string path_;
  std::shared_ptr<const sys::Fd> archive_;             // of a tar that is indexed
  std::map<std::string, Place> places_;
  std::optional<sys::TempDir> temporary_;
  std::optional<ArchiveFiles> files_;                  // of the others
};

}  // namespace mica::engine
