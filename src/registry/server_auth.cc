#include "registry/server_auth.h"

#include <crypt.h>
#include <dlfcn.h>
#include <sys/stat.h>

#include <cstring>

#include "base/format.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/text.h"
#include "sys/fd.h"

namespace mica::registry {
namespace {

constexpr std::size_t kMaxFile = 4 << 20;
/// Of no password; its cost is that of `htpasswd -B` without -C.
constexpr const char* kNobody = "$2y$05$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz01234";

using CryptR = decltype(&::crypt_r);

/// Opened at first use: few servers need it, and it would cost every start of mica.
Result<CryptR> library() {
  static const auto function = []() -> CryptR {
    void* handle = ::dlopen("libcrypt.so.1", RTLD_NOW | RTLD_LOCAL);
    return handle ? reinterpret_cast<CryptR>(::dlsym(handle, "crypt_r")) : nullptr;
  }();
  if (!function) return fail(Error(Errc::unsupported, "libcrypt cannot be loaded").with_hint("install it (on Debian: apt-get install libcrypt1)"));
  return function;
}

bool matches(CryptR function, const std::string& password, const std::string& hash) {
  const auto data = std::make_unique<crypt_data>();
  const char* made = function(password.c_str(), hash.c_str(), data.get());
  if (!made || std::strlen(made) != hash.size()) return false;
  unsigned different = 0;
  for (std::size_t i = 0; i < hash.size(); ++i) different |= static_cast<unsigned char>(made[i] ^ hash[i]);
  return different == 0;
}

std::string stamp_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  return format("{} {} {} {}", status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

}  // namespace

Result<PasswordFile::State> PasswordFile::load(const std::string& path) {
  State state{.stamp = stamp_of(path), .key = random_hex(16)};
  const std::string text = TRY_DOING(sys::read_file(path, kMaxFile), format("reading users from {}", path));
  int number = 0;
  for (const auto raw : split(text, '\n')) {
    ++number;
    const auto line = trim(raw);
    if (line.empty() || line.starts_with('#')) continue;
    const auto parts = split_once(line, ':');
    if (!parts || parts->first.empty()) return failf(Errc::invalid_argument, "{}:{}: not of the form user:hash", path, number);
    const auto hash = parts->second;
    const bool known = hash.starts_with("$2") || hash.starts_with("$5$") || hash.starts_with("$6$") || hash.starts_with("$y$");
    if (!known)
      return fail(Error(Errc::invalid_argument, format("{}:{}: the password of {} is hashed in a way that is not accepted", path, number, quoted(parts->first)))
                      .with_hint("make the entry with 'htpasswd -B' (bcrypt)"));
    state.hashes.insert_or_assign(std::string(parts->first), std::string(hash));
  }
  return state;
}

Result<std::unique_ptr<PasswordFile>> PasswordFile::read(const std::string& path) {
  TRY(library());
  auto state = TRY(load(path));
  return std::unique_ptr<PasswordFile>(new PasswordFile(path, std::move(state)));
}

bool PasswordFile::admits(std::string_view authorization) {
  const auto parts = split_once(trim(authorization), ' ');
  if (!parts || !equals_ignoring_case(parts->first, "basic")) return false;
  const auto plain = from_base64(trim(parts->second));
  if (!plain) return false;
  const auto pair = split_once(*plain, ':');
  if (!pair || pair->second.find('\0') != pair->second.npos) return false;
  const std::string user(pair->first), password(pair->second);
  std::string hash, mark;
  {
    auto state = state_.lock();
    if (const auto stamp = stamp_of(path_); stamp != state->stamp) {
      if (auto again = load(path_)) *state = std::move(*again);
      else log::debug("{}: {}", path_, again.error().text());   // what was read last goes on counting
    }
    const auto found = state->hashes.find(user);
    hash = found == state->hashes.end() ? "" : found->second;
    mark = Sha256().field(state->key).field(user).field(password).field(hash).finish_hex();
    const auto before = state->admitted.find(user);
    if (!hash.empty() && before != state->admitted.end() && before->second == mark) return true;
  }
  const auto function = library();
  if (!function || !matches(*function, password, hash.empty() ? kNobody : hash) || hash.empty()) return false;
  state_.lock()->admitted.insert_or_assign(user, mark);
  return true;
}

}  // namespace mica::registry
