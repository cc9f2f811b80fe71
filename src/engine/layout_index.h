/// index.json of an OCI layout folder as several repositories.
///
/// | entry's annotations | repository and tag |
/// |---|---|
/// | org.opencontainers.image.ref.name "team/app:1" | team/app, 1 (what the registry writes) |
/// | org.opencontainers.image.ref.name "team/app@sha256:..." | team/app, no tag: kept under its digest (what the registry writes) |
/// | the same behind a host with a port ("localhost:5000/team/app:1") | team/app, 1 |
/// | io.containerd.image.name "docker.io/library/app:1" | app, 1; "ghcr.io/team/app:1": team/app, 1 |
/// | org.opencontainers.image.ref.name "1" | the repository that the folder's own name gives, 1 |
/// | none that helps | that repository, no tag |
///
/// A document that loses its last tag goes on under its digest; a tag replaces that kind of entry. What else stands in index.json and in its
/// entries stays as it is.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/json.h"
#include "oci/digest.h"

namespace mica::engine {

class LayoutIndex {
 public:
  struct Entry {
    std::string repository;
    std::string tag;                       ///< empty: by digest only
    oci::Digest digest;
    std::string media_type;
    std::int64_t size = 0;
  };
  /// An index without entries.
  LayoutIndex();
  /// `home`: the repository of entries whose names say none. Errors: corrupt. Entries with digests of other kinds are passed over.
  static Result<LayoutIndex> parse(std::string_view bytes, const std::string& home);
  const std::vector<Entry>& entries() const { return entries_; }
  bool has(const std::string& repository) const;
  const Entry* find_tag(const std::string& repository, std::string_view tag) const;
  const Entry* find(const std::string& repository, const oci::Digest& digest) const;

  /// Enters a document, under the entry's tag if it has one.
  void put(const Entry& entry);
  bool remove_tag(const std::string& repository, const std::string& tag);        ///< false: there is none
  bool remove(const std::string& repository, const oci::Digest& digest);         ///< with its tags
  std::string write() const;

 private:
  void append(const Entry& entry);
  void erase(std::size_t index);
  void rename(std::size_t index, const std::string& name);
  json::Array& list();
  json::Value document_;                   // its "manifests" has an item for each of entries_
  std::vector<Entry> entries_;
  json::Array foreign_;                    // items that are no entries to us: written behind the others
};

/// The repository that a folder's name gives: "/srv/My Images" is "my-images".
std::string home_repository(std::string_view folder);

}  // namespace mica::engine
