/// The folder of a layer being written: confined, link-free creation below it with few system calls.
///
/// New things are made with a mode and owner as near to the wanted ones as the kernel's defaults allow, so that most files need
/// no chown or chmod. Folders are made private and plain and get their owner, mode, attributes and time at the very end:
/// meanwhile nothing in them inherits a group (setgid) or an access list, and their time need be set only once.
#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "snapshot/layer_writer.h"
#include "sys/fd.h"

namespace mica::snapshot {

/// "a/b/c" to "a/b" and "c".
std::pair<std::string_view, std::string_view> split_path(std::string_view path);
bool is_below(std::string_view path, std::string_view folder);
/// Only what may come from outside (is_layer_xattr): overlayfs's own marks would make the kernel look for content elsewhere.
std::string layer_xattrs(std::string packed);

class LayerDisk {
 public:
  /// `fs` was made by this process just now: its owner is what the kernel gives to new files here.
  static Result<LayerDisk> open(const std::string& fs);

  /// The folder at `path` ("" is the layer's root), from a small cache; valid until the next call.
  Result<const sys::Fd*> folder(std::string_view path);
  /// Drops `path` and everything below it from the cache.
  void forget(std::string_view path);

  // What follows may be called by several threads at once. `folder` is the folder that holds `name`.

  Result<sys::Fd> open_folder(std::string_view path) const;
  /// Errors: already_exists.
  Result<sys::Fd> create_file(const sys::Fd& folder, const std::string& name, const Meta& meta) const;
  /// Owner, mode, attributes and time for a file of create_file whose content is written. Returns the attributes that could be
  /// set: what the file system or our rights do not allow is left out, as Docker does.
  Result<std::string> seal_file(const sys::Fd& file, const Meta& meta) const;
  Result<> make_folder(const sys::Fd& folder, const std::string& name) const;
  Result<> make_symlink(const sys::Fd& folder, const std::string& name, const std::string& target) const;
  Result<> make_device(const sys::Fd& folder, const std::string& name, Type type, std::uint64_t device) const;
  /// As seal_file, by name, for every type; `fresh` when it was just made by a call above.
  Result<std::string> label(const sys::Fd& folder, const std::string& name, Type type, const Meta& meta, bool fresh) const;
  Result<> mark_opaque(const sys::Fd& folder, const std::string& name) const;

 private:
  struct Cached {
    std::string path;
    sys::Fd fd;
    std::uint64_t used = 0;
  };
  explicit LayerDisk(sys::Fd root) : root_(std::move(root)) {}
  bool needs_owner(const Meta& meta) const { return meta.uid != uid_ || meta.gid != gid_; }
  bool needs_mode(const Meta& meta) const { return (meta.mode & 07000) != 0 || (meta.mode & umask_) != 0; }

  sys::Fd root_;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  mode_t umask_ = 0777;
  std::vector<Cached> cache_;
  std::uint64_t clock_ = 0;
};

}  // namespace mica::snapshot
