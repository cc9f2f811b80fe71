/// Collecting what is wrong with a file. Internal to the module.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dockerfile/tree.h"

namespace mica::dockerfile {

/// Errors and warnings in the order found. Both are bounded: a hostile file must not fill memory with complaints.
class Diagnostics {
 public:
  void error(const Range& where, std::string message, std::string suggestion = {}, std::string_view code = {});
  void warning(std::string_view code, const Range& where, std::string message);
  bool full() const;                       ///< so many errors that parsing should stop
  std::size_t error_count() const { return errors_.size(); }

  std::vector<Diagnostic> take_errors();   ///< in line order
  std::vector<Diagnostic> take_warnings();

 private:
  std::vector<Diagnostic> errors_, warnings_;
};

/// "did you mean COPY?", or empty when nothing known is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);
/// Message and suggestion as one text: "unknown instruction: COYP (did you mean COPY?)".
std::string text_of(const Diagnostic& diagnostic);

}  // namespace mica::dockerfile
