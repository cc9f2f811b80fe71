#include "build/chmod.h"

#include "base/format.h"
#include "base/text.h"

namespace mica::build {
namespace {

constexpr std::uint32_t kSticky = 01000, kAll = 06777, kExecute = 0111;

std::unexpected<Error> not_octal(std::string_view text) {
  return failf(Errc::invalid_argument, "invalid chmod parameter: '{}'. it should be octal string and between 0 and 07777", text);
}

}  // namespace

class Chmod::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}

  Result<std::vector<Change>> parse() {
    do {
      who_ = 0;
      while (take_who()) {
      }
      if (rest_.empty() || !is_operation(rest_[0])) return failed();
      while (!rest_.empty() && is_operation(rest_[0])) take_operation();
    } while (take(','));
    if (!rest_.empty()) return failed();
    return std::move(changes_);
  }

 private:
  static bool is_operation(char c) { return c == '+' || c == '-' || c == '='; }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_who() {
    if (take('u'))
      who_ |= 04700;
    else if (take('g'))
      who_ |= 02070;
    else if (take('o'))
      who_ |= 00007;
    else if (take('a'))
      who_ |= kAll;
    else
      return false;
    return true;
  }
  /// Set-id and sticky bits mean nothing for others alone.
  bool may_be_special() const { return who_ == 0 || (who_ & ~00007u) != 0; }

  void take_operation() {
    operation_ = rest_[0];
    rest_.remove_prefix(1);
    who_ &= ~kSticky;
    cleared_ = false;
    permissions_ = 0;
    conditional_execute_ = false;
    while (take_permission()) {
    }
    flush(operation_ == '=' && !cleared_);
  }
  bool take_permission() {
    if (take('r'))
      permissions_ |= 0444;
    else if (take('w'))
      permissions_ |= 0222;
    else if (take('x'))
      permissions_ |= kExecute;
    else if (take('X'))
      conditional_execute_ = operation_ != '-';
    else if (take('s'))
      permissions_ |= may_be_special() ? 06000 : 0;
    else if (take('t'))
      take_sticky();
    else if (take('u'))
      copy(6);
    else if (take('g'))
      copy(3);
    else if (take('o'))
      copy(0);
    else
      return false;
    return true;
  }
  void take_sticky() {
    if (!may_be_special()) return;
    who_ |= kSticky;
    permissions_ |= kSticky;
  }
  void copy(int from) {
    flush(false);
    cleared_ = true;
    const std::uint32_t who = who_ ? who_ & 0777 : 0777;
    changes_.push_back({Change::Kind::copy, who, operation_, from});
  }
  /// Writes out the permissions collected so far.
  void flush(bool clear_anyway) {
    if (permissions_ != 0 || clear_anyway) {
      const std::uint32_t bits = who_ ? permissions_ & who_ : permissions_;
      if (operation_ == '=') changes_.push_back({Change::Kind::clear, who_ ? who_ : kAll});
      changes_.push_back({operation_ == '-' ? Change::Kind::clear : Change::Kind::set, bits});
      cleared_ = true;
      permissions_ = 0;
    }
    if (conditional_execute_) changes_.push_back({Change::Kind::set_execute, who_ ? kExecute & who_ : kExecute});
    conditional_execute_ = false;
  }
  std::unexpected<Error> failed() const {
    Error error(Errc::invalid_argument, format("invalid --chmod value {}", quoted(text_)));
    return fail(std::move(error).with_hint("use an octal number such as 0755, or changes such as u=rwX,go=rX"));
  }

  const std::string_view text_;
  std::string_view rest_;
  std::vector<Change> changes_;
  std::uint32_t who_ = 0, permissions_ = 0;
  char operation_ = '=';
  bool cleared_ = false, conditional_execute_ = false;
};

Result<Chmod> Chmod::parse(std::string_view text) {
  Chmod out;
  if (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    const auto number = parse_octal(text);
    if (!number || *number > 07777) return not_octal(text);
    out.number_ = static_cast<std::uint32_t>(*number);
    return out;
  }
  out.changes_ = TRY(Parser(text).parse());
  return out;
}

std::uint32_t Chmod::apply(std::uint32_t mode, bool folder) const {
  if (number_) return *number_;
  std::uint32_t now = mode & 07777;
  for (const Change& change : changes_) {
    switch (change.kind) {
      case Change::Kind::clear:
        now &= ~change.bits;
        break;
      case Change::Kind::set:
        now |= change.bits;
        break;
      case Change::Kind::set_execute:
        now |= folder || (mode & kExecute) ? change.bits : 0;
        break;
      case Change::Kind::copy: {
        const std::uint32_t value = (now >> change.from & 07) * 0111;
        if (change.operation == '=') now &= ~change.bits;
        if (change.operation == '-')
          now &= ~(value & change.bits);
        else
          now |= value & change.bits;
        break;
      }
    }
  }
  return now;
}

std::uint32_t Chmod::new_folder_mode() const { return number_ ? *number_ & 0777 & ~022u : 0755; }

}  // namespace mica::build
