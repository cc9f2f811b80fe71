#include "base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/format.h"

namespace mica {

struct Error::Data {
  Errc code;
  int os_number = 0;
  int exit_status = 0;
  std::string message;
  std::string hint;
  std::optional<SourcePosition> position;
  std::vector<std::string> actions;  // innermost first
};

namespace {
Errc code_of(int os_number) {
  switch (os_number) {
    case ENOENT: case ENOTDIR: case ENXIO: case ENODEV: return Errc::not_found;
    case EEXIST: return Errc::already_exists;
    case EACCES: case EPERM: case EROFS: return Errc::permission_denied;
    case ENOSPC: case EDQUOT: case EMFILE: case ENFILE: case ENOMEM: case EFBIG: return Errc::resource_exhausted;
    case EBUSY: case ENOTEMPTY: case ETXTBSY: return Errc::conflict;
    case ENOSYS: case EOPNOTSUPP: return Errc::unsupported;
    case EINVAL: case ENAMETOOLONG: case ELOOP: case EISDIR: case EXDEV: return Errc::invalid_argument;
    case ECONNREFUSED: case ETIMEDOUT: case EHOSTUNREACH: case ENETUNREACH: case EAGAIN: return Errc::unavailable;
    case EBADMSG: case EIO: case EUCLEAN: return Errc::corrupt;
    default: return Errc::internal;
  }
}
}  // namespace

std::string_view name(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return "invalid_argument";
    case Errc::not_found: return "not_found";
    case Errc::already_exists: return "already_exists";
    case Errc::conflict: return "conflict";
    case Errc::permission_denied: return "permission_denied";
    case Errc::unauthorized: return "unauthorized";
    case Errc::unavailable: return "unavailable";
    case Errc::corrupt: return "corrupt";
    case Errc::unsupported: return "unsupported";
    case Errc::resource_exhausted: return "resource_exhausted";
    case Errc::cancelled: return "cancelled";
    case Errc::internal: break;
  }
  return "internal";
}

Error::Error(Errc code, std::string message) : data_(new Data{.code = code, .message = std::move(message)}) {}

Error Error::os(int os_number, std::string_view action) {
  Error error(code_of(os_number), format("{}: {}", action, std::strerror(os_number)));
  error.data_->os_number = os_number;
  if (os_number == ENOSPC || os_number == EDQUOT)
    error.data_->hint = "the disk is full; free space with `mica system prune` or move the store with MICA_ROOT";
  return error;
}

Errc Error::code() const { return data_->code; }
int Error::os_number() const { return data_->os_number; }
const std::string& Error::message() const { return data_->message; }
const std::string& Error::hint() const { return data_->hint; }
const std::optional<SourcePosition>& Error::position() const { return data_->position; }
int Error::exit_status() const { return data_->exit_status; }

Error&& Error::doing(std::string action) && {
  data_->actions.push_back(std::move(action));
  return std::move(*this);
}
Error& Error::doing(std::string action) & {
  data_->actions.push_back(std::move(action));
  return *this;
}
Error&& Error::with_hint(std::string hint) && {
  data_->hint = std::move(hint);
  return std::move(*this);
}
Error&& Error::at(SourcePosition position) && {
  if (!data_->position) data_->position = std::move(position);
  return std::move(*this);
}
Error&& Error::with_exit_status(int status) && {
  data_->exit_status = status;
  return std::move(*this);
}
Error&& Error::with_code(Errc code) && {
  data_->code = code;
  return std::move(*this);
}

std::string Error::text() const {
  std::string out;
  for (auto action = data_->actions.rbegin(); action != data_->actions.rend(); ++action) out += *action + ": ";
  if (data_->position && data_->position->line > 0) {
    out += format("{}:{}", data_->position->file, data_->position->line);
    if (data_->position->column > 0) out += format(":{}", data_->position->column);
    out += ": ";
  }
  return out + data_->message;
}

std::string Error::full_text() const {
  std::string out = text();
  if (data_->position && !data_->position->excerpt.empty()) {
    out += "\n" + data_->position->excerpt;
    while (out.ends_with('\n')) out.pop_back();
  }
  if (!data_->hint.empty()) out += "\n  hint: " + data_->hint;
  return out;
}

Error::Error(const Error& other) : data_(new Data(*other.data_)) {}
Error::Error(Error&&) noexcept = default;
Error& Error::operator=(const Error& other) {
  if (this != &other) data_.reset(new Data(*other.data_));
  return *this;
}
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

std::unexpected<Error> fail_errno(std::string_view action) { return std::unexpected(Error::os(errno, action)); }

void assertion_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "mica: bug: %s:%d: %s: %s\n", file, line, condition, why);
  std::abort();
}

}  // namespace mica
