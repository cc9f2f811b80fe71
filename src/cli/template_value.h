/// Values during execution, and Go's fmt rules for them.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "cli/template.h"

namespace mica::cli::go {

struct Val {
  json::Value value;
  Hint hint = Hint::none;
  bool absent = false;          ///< the zero reflect.Value: a map had no such key
  bool is_nil() const { return absent || (value.is_null() && hint == Hint::none); }
};

bool is_true(const Val& value);
/// Go's type name: "string", "int", "[]interface {}", "<nil>".
std::string type_name(const Val& value);
/// %v.
std::string shown(const Val& value);
/// What an action prints: "<no value>" for nil.
std::string printed(const Val& value);
std::string sprint(std::span<const Val> values);
std::string sprintln(std::span<const Val> values);
std::string sprintf(std::string_view format, std::span<const Val> values);

/// A built-in or Docker function. `header`: header row mode. Errors: invalid_argument holding the innermost text only
/// ("index out of range: 5"); `kind` says how the caller wraps it.
struct CallFailure {
  enum Kind { calling, arguments, type } kind = calling;
  std::string text;
  int argument = -1;            ///< for `type`: which one
};
struct CallContext {
  bool header = false;
  const Typing* typing = nullptr;
  const json::Value* root = nullptr;
};
std::expected<Val, CallFailure> call_function(std::string_view name, std::vector<Val>& arguments, const CallContext& context);

}  // namespace mica::cli::go
