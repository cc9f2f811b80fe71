/// What a Dockerfile is to blame for, collected while planning goes on, and made one Error at the end.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "dockerfile/tree.h"

namespace mica::build {

class Faults {
 public:
  /// `file` must live as long as this.
  explicit Faults(const dockerfile::File& file) : file_(file) {}

  /// Adds `error` at `where`; what was being done is told after the place. An error about a word that says a column of it (as
  /// dockerfile::expand does) is shown at that column of the line that holds `word`. line 0: the file as a whole. The same fault
  /// twice is one.
  void add(Error error, const dockerfile::Range& where, std::string_view word = "");
  bool empty() const { return faults_.empty(); }
  /// The first in line order; the others are told below its excerpt, as dockerfile::parse_file does it. Cancelled comes alone.
  Error take();

 private:
  struct Fault {
    Error error;
    SourcePosition position;
  };
  SourcePosition position_of(const Error& error, const dockerfile::Range& where, std::string_view word) const;

  const dockerfile::File& file_;
  std::vector<Fault> faults_;
};

}  // namespace mica::build
