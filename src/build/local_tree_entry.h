/// One entry of a context folder as it is on disk. Internal to local_tree*.cc.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "build/file_hashes.h"
#include "snapshot/listing.h"
#include "sys/fd.h"

namespace mica::build {

struct LocalEntry {
  std::string name;
  snapshot::Type type = snapshot::Type::file;
  bool is_socket = false;         ///< shown as an empty regular file
  bool hidden = false;            ///< a folder that an ignore rule excludes: it shows when something below it does
  bool remembered = false;        ///< the digest is of `stamp`, and may be believed in later builds
  std::uint32_t mode = 0;         ///< 07777 bits
  std::uint64_t device = 0;       ///< of device nodes
  std::uint64_t inode_group = 0;  ///< not 0: the file has more than one name
  FileStamp stamp;
  std::string link, xattrs;
  std::optional<Sha256Bytes> digest;
};

/// The entry `name` of a folder; nullopt when there is none. `memory` (sorted) gives digest and attributes of a file that has not
/// changed.
Result<std::optional<LocalEntry>> look_at(const sys::Fd& folder, std::string name, const std::vector<RememberedFile>& memory);

FileStamp stamp_of(const struct stat& status);

/// The file remembered under a name; null: none.
const RememberedFile* find_in(const std::vector<RememberedFile>& memory, std::string_view name);

/// `error` of reading `path`, with what to do when it is that we may not.
Error may_be_ignored(Error error, std::string_view path);

}  // namespace mica::build
