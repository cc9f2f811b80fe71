/// Checked reading of JSON members, for documents that came from elsewhere.
///
/// A member that is missing or null gives the empty value (Go's decoder does so, and images in the wild hold nulls); one of
/// another type is an error that names it: "config.Env is a string, not an array".
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"

namespace mica::oci {

/// One object of a document. `where` names it in errors ("config", "layers[3]"); empty for the document itself.
/// A view: the value must outlive it.
class MembersView {
 public:
  enum class Case { exact, ignored };
  /// Errors: corrupt when `value` is not an object.
  static Result<MembersView> of(const json::Value& value, std::string where, Case matching = Case::exact);

  /// nullptr when missing or null.
  const json::Value* find(std::string_view key) const;
  Result<std::string> text(std::string_view key) const;
  Result<std::int64_t> integer(std::string_view key) const;  ///< a double without fraction is taken
  Result<bool> boolean(std::string_view key) const;
  Result<std::vector<std::string>> texts(std::string_view key) const;
  /// Names of an object used as a set ({"80/tcp":{}}), sorted; an array of strings is taken too.
  Result<std::vector<std::string>> names(std::string_view key) const;
  /// An object of strings, sorted by name.
  Result<std::vector<std::pair<std::string, std::string>>> pairs(std::string_view key) const;
  /// nullptr when missing or null; else an array.
  Result<const json::Array*> array(std::string_view key) const;

  std::string path(std::string_view key) const;
  Error wrong_type(std::string_view key, const json::Value& value, std::string_view wanted) const;

 private:
  MembersView(const json::Value& value, std::string where, Case matching)
      : value_(value), where_(std::move(where)), case_(matching) {}
  const json::Value& value_;
  std::string where_;
  Case case_;
};

}  // namespace mica::oci
