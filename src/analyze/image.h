/// What an analysis looks at: the layers of an image as sorted lists of entries, wherever they come from. The engine makes them of the store's
/// listings (digests are known there, no file is read); tar_layer.h makes them of a layer's tar. Plain values.
///
/// Words: a *body* is the bytes of one regular file as one layer stores them; hard links of a layer name the same body.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sha256.h"

namespace mica::analyze {

enum class Kind : std::uint8_t { file, directory, symlink, device };   ///< device: fifos too

struct Entry {
  std::string path;                ///< relative to the image's root, clean: no leading or trailing '/'; never the root itself
  Kind kind = Kind::file;
  bool opaque = false;             ///< a directory that hides all that lower layers have in it
  bool implied = false;            ///< a directory that is there only because the layer has something in it: no entry of its own
  std::uint32_t mode = 0, uid = 0, gid = 0;   ///< 07777 bits
  std::uint64_t size = 0;          ///< of a body, unpacked (holes count); 0 for all but the entry that stores one
  std::uint64_t archived_size = 0; ///< what the entry's header in the tar says: another name of a body may be the one that brings it there
  std::int64_t mtime_ns = 0;
  Sha256Bytes digest{};            ///< of the body that a file names
  std::string hard_link;           ///< path of this layer's entry that stores the body; empty: this one does
  std::string link;                ///< target of a symlink
  std::string xattrs;              ///< as pack_xattrs gives them
  bool stores_body() const { return kind == Kind::file && hard_link.empty(); }
};

struct Layer {
  std::string diff_id, digest;     ///< "sha256:..."; digest: of the blob, empty: not known
  std::string media_type;          ///< of the blob
  std::int64_t compressed_bytes = -1;   ///< of the blob; -1: not known
  std::string created_by;          ///< as the history has it
  std::string instruction;         ///< one line for people: "RUN make"
  int line = 0;                    ///< of the Dockerfile; 0: not known
  std::int64_t duration_ns = -1;   ///< of the step's last run; -1: not known
  bool opaque_root = false;        ///< hides everything below
  std::vector<Entry> entries;      ///< by path bytes; every parent directory is there
  std::vector<std::string> whiteouts;   ///< sorted paths that are removed from what lies below. One may be an entry too: removed, then made anew
  std::map<std::string, std::string> contents;   ///< of files that were asked for (tar_layer.h)
};

/// Which low layers are those of the base image, and how that is known.
struct Base {
  enum class Known { not_at_all, option, build, annotation, store, history } how = Known::not_at_all;
  std::size_t layers = 0;
  std::string name, digest;        ///< may be empty
};

struct Image {
  std::string name;                ///< as asked for
  std::string id, digest;          ///< "sha256:..." of config and manifest; may be empty
  std::string platform;
  std::vector<Layer> layers;       ///< lowest first
  Base base;
};

/// Brings what a producer made into the form above: sorts, drops what a later entry of the same path replaced (`entries` in the order of the archive), adds
/// implied parents, lets each body be stored by its first path. Hard links to what is not in this layer become files without a body.
void normalise(Layer& layer);

/// Extended attributes as Entry::xattrs has them: sorted, without those that belong to the host and not to the layer.
std::string pack_xattrs(std::vector<std::pair<std::string, std::string>> xattrs);

/// True when `path` is `directory` or below it; "" is the root.
bool is_within(std::string_view path, std::string_view directory);

/// "unknown", "option", "build", ...
std::string_view name(Base::Known how);

}  // namespace mica::analyze
