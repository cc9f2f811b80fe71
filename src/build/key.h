/// A step's key as named parts: what decided that a step had to run, in words that can be shown and compared later.
///
/// The *weak* key covers the declared parts (instruction, arguments, environment, mounts, platform): the recipe. The *strong* key
/// covers all parts, with the content of everything that the step sees: the parent's tree, each file. Equal strong keys mean
/// equal work. Under one weak key any number of records may stand, each with its own strong key (and, one day, with conditions
/// about what the step read: ARCHITECTURE.md, "Keys and records").
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace mica::build {

struct Part {
  std::string name;        ///< "instruction", "parent", "env PATH", "arg VERSION", "file server.js", "mount /root/.npm", "base"
  std::string value;       ///< text as written, or a hex digest of content
  bool declared = true;    ///< part of the weak key; false: content
  bool operator==(const Part&) const = default;
};
using Parts = std::vector<Part>;

/// 64 hex digits. Order counts; so do names.
std::string weak_key(const Parts& parts);
std::string strong_key(const Parts& parts);

/// Compact text form for the record (kept zstd-compressed in a blob) and back. Errors: corrupt.
std::string encode_parts(const Parts& parts);
/// The same piece by piece: what it begins with, then each part.
inline constexpr std::string_view kPartsMagic = "mica parts 1\n";
void append_part(std::string& to, const Part& part);
Result<Parts> decode_parts(std::string_view bytes);

/// One difference between two sets of parts.
struct Change {
  std::string name;
  std::string before, after;   ///< empty: the part was not there
};
/// By name, in the order of `after`; then what vanished. At most `limit` are listed, `total` counts all.
struct Changes {
  std::vector<Change> list;
  std::size_t total = 0;
};
Changes compare_parts(const Parts& before, const Parts& after, std::size_t limit = 20);
/// "server.js changed: 3b1f09aa12 to 90aa…", "ARG VERSION: 1.2 to 1.3", "file lib/x.js is new", "base moved: …".
std::string describe(const Change& change);

}  // namespace mica::build
