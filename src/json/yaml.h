/// YAML texts (compose files, lint configurations) as JSON values, read with libyaml's events.
///
/// The dialect is the one that Go's yaml.v3 gives Docker Compose. Plain scalars: `null ~` and nothing at all, `true false`
/// (also True, TRUE), integers (decimal, 0x, 0b, 0o, a leading 0 is octal, `_` between digits), floats, `.inf .nan`; whatever
/// else is a string: `yes`, `on`, `22:22`, `2024-01-01`. Quoted and block scalars are strings. Anchors, aliases and merge keys
/// (`<<`) are resolved. A key that stands twice in a mapping is an error. Keys are strings: the text of a scalar (`8080:`).
#pragma once
#include "json/json.h"

namespace mica::json {

/// What a text may ask for. What aliases and merges repeat counts each time, so a small text cannot become a large value.
struct YamlLimits {
  std::size_t bytes = 4 << 20;     ///< of the text; also of all strings of the result together
  int depth = 100;
  std::size_t values = 200'000;
  std::size_t aliases = 10'000;
};

/// Where a value stands in its text, in the shape of the value: `children` are in step with its items or members. Lines and
/// columns (of characters) count from 1. What came by an alias or a merge key has the place of the original.
struct Place {
  int line = 0, column = 0;
  int key_line = 0, key_column = 0;   ///< of the key of a member; else 0
  std::string tag;                    ///< a tag that is not YAML's own: "!reset"
  std::vector<Place> children;
};

struct YamlDocument {
  Value value;
  Place place;

  /// The place of the value that `path` leads to (member names, and indexes in decimal); of the last one on the way that exists.
  const Place& find(const std::vector<std::string>& path) const;
};

/// The one document of `text`; null when there is none. Tags of applications ("!reset") are passed over.
/// Errors: corrupt, with line and column, a second document too; resource_exhausted beyond `limits`.
Result<Value> parse_yaml(std::string_view text, const YamlLimits& limits = {});

/// All documents of `text` with the places of their values. Errors: as parse_yaml.
Result<std::vector<YamlDocument>> parse_yaml_documents(std::string_view text, const YamlLimits& limits = {});

}  // namespace mica::json
