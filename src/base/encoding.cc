#include <sys/random.h>

#include <cerrno>

#include "base/format.h"
#include "base/text.h"

namespace mica {

namespace {
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_value(char c) {
  if (c == '-') return 62;
  if (c == '_') return 63;
  const std::size_t at = kBase64.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}
}  // namespace

std::string hex(std::span<const unsigned char> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string random_hex(int bytes) {
  std::vector<unsigned char> random(bytes);
  for (std::size_t filled = 0; filled < random.size();) {
    const ssize_t n = ::getrandom(random.data() + filled, random.size() - filled, 0);
    MICA_ASSERT(n > 0 || errno == EINTR, "getrandom works on every supported kernel");
    if (n > 0) filled += n;
  }
  return hex(random);
}

std::string base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    unsigned bits = 0;
    for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i) out += i <= group.size() ? kBase64[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

Result<std::string> from_base64(std::string_view text) {
  const std::string_view digits = trim_right(text, "=");
  const std::size_t padding = text.size() - digits.size();
  if (digits.size() % 4 == 1 || padding > 2 || (padding > 0 && text.size() % 4 != 0))
    return fail(Errc::invalid_argument, "invalid base64: the length is wrong");
  std::string out;
  out.reserve(digits.size() * 3 / 4);
  unsigned bits = 0;
  int held = 0;
  for (std::size_t at = 0; at < digits.size(); ++at) {
    const int value = base64_value(digits[at]);
    if (value < 0) return failf(Errc::invalid_argument, "invalid base64: bad character at byte {}", at);
    bits = (bits << 6 | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held);
  }
  return out;
}

}  // namespace mica
