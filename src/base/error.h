/// The one error type of mica, and `Result<T>`, the return type of everything that can fail for an outside reason.
///
/// An `Error` is one pointer wide. It carries a code that callers may branch on, the OS error number if there was one, a
/// position in the user's source file if there is one, the chain of actions that failed (outermost first when printed) and a
/// hint that says what to do. Text is for people only: never branch on it.
#pragma once
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mica {

enum class Errc {
  invalid_argument,    ///< the caller's or user's input is wrong
  not_found,           ///< the named thing does not exist
  already_exists,      ///< the name is taken
  conflict,            ///< the thing is in a state that forbids this (in use, changed meanwhile)
  permission_denied,   ///< the OS or a policy said no
  unauthorized,        ///< credentials are missing or wrong
  unavailable,         ///< a peer cannot be reached now; trying again may help
  corrupt,             ///< stored or received bytes are not what they must be
  unsupported,         ///< valid, but not something this program or machine does
  resource_exhausted,  ///< disk, memory or a limit of ours is used up
  cancelled,           ///< the user or a sibling task asked to stop
  internal,            ///< a bug, or something not foreseen
};

/// Stable lower-case name, as in JSON output: "not_found".
std::string_view name(Errc code);

/// A place in a file the user wrote. Lines and columns count from 1; 0 means unknown. `excerpt` may hold the lines to show.
struct SourcePosition {
  std::string file;
  int line = 0;
  int column = 0;
  std::string excerpt;
  bool operator==(const SourcePosition&) const = default;
};

class [[nodiscard]] Error {
 public:
  Error(Errc code, std::string message);
  /// An error from `errno`-like number `os`: the code is derived (ENOENT: not_found, EACCES/EPERM/EROFS: permission_denied,
  /// ENOSPC/EDQUOT/EMFILE/ENOMEM: resource_exhausted, EEXIST: already_exists, EBUSY/ENOTEMPTY: conflict, ENOSYS/EOPNOTSUPP:
  /// unsupported, ...), the text is `action: strerror`.
  static Error os(int os_number, std::string_view action);

  Errc code() const;
  int os_number() const;                              ///< 0 when no system call failed
  const std::string& message() const;                 ///< the innermost text, without actions
  const std::string& hint() const;                    ///< empty when there is none
  const std::optional<SourcePosition>& position() const;
  /// The exit status this error asks for (a failed step's own status), or 0.
  int exit_status() const;

  /// Adds an outer action in gerund form: "building app". Returns itself for chaining.
  Error&& doing(std::string action) &&;
  Error& doing(std::string action) &;
  Error&& with_hint(std::string hint) &&;
  Error&& at(SourcePosition position) &&;
  Error&& with_exit_status(int status) &&;
  Error&& with_code(Errc code) &&;

  /// "building app: Dockerfile:12: RUN make: ...", without the hint.
  std::string text() const;
  /// text() plus "\n  hint: ..." when there is a hint, and the excerpt when there is one.
  std::string full_text() const;

  Error(const Error&);
  Error(Error&&) noexcept;
  Error& operator=(const Error&);
  Error& operator=(Error&&) noexcept;
  ~Error();

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// `return fail(Errc::not_found, "no such image: {}", ref)` needs base/format.h for arguments; this one takes finished text.
inline std::unexpected<Error> fail(Errc code, std::string message) { return std::unexpected(Error(code, std::move(message))); }
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }
/// From the current errno.
std::unexpected<Error> fail_errno(std::string_view action);

[[noreturn]] void assertion_failed(const char* condition, const char* why, const char* file, int line);

namespace detail {
template <class E>
Error take_error(E&& e) { return std::move(e.error()); }
}  // namespace detail
}  // namespace mica

/// Unwraps a Result or returns its error. One a statement: at its start, after `=` or after `return`; never inside braces of
/// an initialiser (GCC 12 leaks what was already built).
#define TRY(...)                                                                                \
  ({                                                                                            \
    auto mica_try_result = (__VA_ARGS__);                                                       \
    if (!mica_try_result) return std::unexpected(std::move(mica_try_result).error());           \
    ::mica::detail_unwrap(std::move(mica_try_result));                                          \
  })

/// TRY that adds what the caller was doing; the text is built only on failure.
#define TRY_DOING(expression, action)                                                           \
  ({                                                                                            \
    auto mica_try_result = (expression);                                                        \
    if (!mica_try_result) return std::unexpected(std::move(mica_try_result).error().doing(action)); \
    ::mica::detail_unwrap(std::move(mica_try_result));                                          \
  })

/// A broken invariant of ours; never for input.
#define MICA_ASSERT(condition, why) \
  ((condition) ? void() : ::mica::assertion_failed(#condition, why, __FILE__, __LINE__))

namespace mica {
template <class T>
T detail_unwrap(std::expected<T, Error>&& r) {
  if constexpr (!std::is_void_v<T>) return std::move(*r);
}
}  // namespace mica
