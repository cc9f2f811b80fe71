/// What compose files may hold: names, types and, by their order, how `compose config` prints them. Pure data with three functions over it.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"
#include "json/yaml.h"

namespace mica::compose {

/// Types of a value, as bits.
enum Type : unsigned { kText = 1, kNumber = 2, kBool = 4, kList = 8, kMap = 16, kNull = 32, kAny = 63 };
inline constexpr unsigned kScalar = kText | kNumber | kBool;
inline constexpr unsigned kWord = kText | kNumber;               ///< numbers that are meant as texts, or the other way
inline constexpr unsigned kPairs = kMap | kList | kNull;         ///< KEY: VALUE or - KEY=VALUE

struct Table;
struct Field {
  std::string_view name;
  unsigned types = kText;
  const Table* members = nullptr;                        ///< of a map with fixed members
  const Table* each = nullptr;                           ///< of every member of a map with free names, and of every map in a list
};
struct Table {
  std::string_view name;                                 ///< "service"
  std::span<const Field> fields;
};
extern const Table kProject;
extern const Table kService;
extern const Table kNetwork, kVolume, kSecret, kConfig;

/// A complaint about a file: "compose.yaml:7:5: services.web: ..."
struct Problem {
  std::string file;
  int line = 0, column = 0;
  std::string path, text, hint;
};

/// Names and types of everything in `value`; members that begin with "x-" are free.
void check(const Table& table, const json::Value& value, const json::Place& place, const std::string& file, const std::string& path, std::vector<Problem>& problems);
/// Members in the table's order, free ones sorted by name, "x-" last; what is null or empty by Docker's rules is left as it is.
json::Value in_order(const Table& table, const json::Value& value);

}  // namespace mica::compose
