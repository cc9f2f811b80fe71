#include "archive/tar_format.h"

#include <algorithm>

namespace mica::archive {

std::string_view raw(const Block& block, Field field) { return {block.data() + field.offset, field.size}; }

std::string_view text(const Block& block, Field field) {
  const std::string_view bytes = raw(block, field);
  return bytes.substr(0, bytes.find('\0'));
}

Dialect dialect(const Block& block) {
  using namespace std::literals;
  const std::string_view magic = raw(block, kMagic);
  if (magic == "ustar  \0"sv) return Dialect::gnu;
  return magic.starts_with("ustar\0"sv) ? Dialect::ustar : Dialect::v7;
}

bool is_zero(const Block& block) {
  return std::ranges::all_of(block, [](char c) { return c == 0; });
}

std::uint32_t checksum(const Block& block) {
  std::uint32_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  for (const char c : raw(block, kChecksum)) sum -= static_cast<unsigned char>(c);
  return sum + kChecksum.size * ' ';
}

bool checksum_matches(const Block& block) {
  const auto stored = number(raw(block, kChecksum));
  if (!stored) return false;
  if (*stored == checksum(block)) return true;
  std::int64_t sum = 0;
  for (const char c : block) sum += static_cast<signed char>(c);
  for (const char c : raw(block, kChecksum)) sum -= static_cast<signed char>(c);
  return *stored == sum + static_cast<std::int64_t>(kChecksum.size * ' ');
}

std::optional<std::int64_t> number(std::string_view field) {
  if (field.empty()) return 0;
  if (const auto first = static_cast<unsigned char>(field[0]); first & 0x80) {
    const bool negative = first & 0x40;
    // The top bit is the mark; the next one is the sign of a two's complement number.
    std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = 0; i < field.size(); ++i) {
      unsigned char byte = static_cast<unsigned char>(field[i]);
      if (i == 0) byte = negative ? byte | 0x80 : byte & 0x7f;
      const std::uint64_t lost = value >> 55;  // with the sign bit: all must be copies of it
      if (lost != (negative ? 0x1ff : 0)) return std::nullopt;
      value = value << 8 | byte;
    }
    return static_cast<std::int64_t>(value);
  }
  constexpr std::string_view kBlanks(" \0", 2);
  const auto begin = field.find_first_not_of(kBlanks);
  if (begin == field.npos) return 0;
  std::string_view digits = field.substr(begin);
  digits = digits.substr(0, digits.find_first_of(kBlanks));
  std::int64_t value = 0;  // 12 digits at most: no overflow
  for (const char c : digits) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value << 3 | (c - '0');
  }
  return value;
}

}  // namespace mica::archive
