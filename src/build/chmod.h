/// Values of --chmod: an octal number, or changes as chmod(1) knows them ("u=rwX,go=rX", "g=u", "+x").
///
/// Symbolic changes follow BSD's setmode(3), which is what Docker uses, without a umask: X looks at the mode before all
/// changes; a copy ("g=u") moves only rwx; the sticky bit is touched only by 't'; in "u=gw" the later permission replaces the
/// copy.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace mica::build {

class Chmod {
 public:
  /// Errors: invalid_argument.
  static Result<Chmod> parse(std::string_view text);
  /// The mode (07777) of something that had `mode`.
  std::uint32_t apply(std::uint32_t mode, bool folder) const;
  /// For folders that have to be made on the way to the destination: an octal number counts for them too, through umask 022 and
  /// without set-id and sticky bits (Docker); 0755 with symbolic changes.
  std::uint32_t new_folder_mode() const;

 private:
  struct Change {
    enum class Kind { clear, set, set_execute, copy } kind;
    std::uint32_t bits = 0;  ///< clear, set, set_execute: the bits; copy: 0700, 070 and 07 of those who get
    char operation = '=';    ///< copy: '=', '+' or '-'
    int from = 0;            ///< copy: how far the source's rwx are shifted left: 6, 3 or 0
  };
  class Parser;
  std::optional<std::uint32_t> number_;
  std::vector<Change> changes_;
};

}  // namespace mica::build
