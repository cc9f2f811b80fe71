#include "container/dns_message.h"

#include <algorithm>

#include "base/text.h"

namespace mica::container {

namespace {

constexpr std::size_t kHeaderBytes = 12, kMaxName = 253, kMaxLabel = 63, kOptBytes = 11;
constexpr std::uint16_t kClassIn = 1, kTypeOpt = 41;
constexpr unsigned kQueryBits = 0xf800;                  // answer, and the kind of question: 0 in those that we take
constexpr unsigned kAnswer = 0x8000, kCut = 0x0200, kWantsRecursion = 0x0100, kRecursion = 0x0080;
constexpr std::uint32_t kTtlSeconds = 600;

unsigned number(std::string_view bytes, std::size_t at) { return static_cast<unsigned>(static_cast<unsigned char>(bytes[at]) << 8 | static_cast<unsigned char>(bytes[at + 1])); }
void put(std::string& out, unsigned value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value);
}
void put_at(std::string& out, std::size_t at, unsigned value) {
  out[at] = static_cast<char>(value >> 8);
  out[at + 1] = static_cast<char>(value);
}

/// Header and question of the query with the bits of an answer.
std::string head(std::string_view query, const DnsQuestion& question, int code) {
  std::string out(query.substr(0, question.end));
  put_at(out, 2, kAnswer | kRecursion | (number(query, 2) & kWantsRecursion) | static_cast<unsigned>(code));
  for (const std::size_t count : {6, 8, 10}) put_at(out, count, 0);
  return out;
}

void put_record(std::string& out, std::uint16_t type, std::string_view data) {
  constexpr unsigned kNameOfQuestion = 0xc000 | kHeaderBytes;
  put(out, kNameOfQuestion);
  put(out, type);
  put(out, kClassIn);
  put(out, kTtlSeconds >> 16);
  put(out, kTtlSeconds & 0xffff);
  put(out, static_cast<unsigned>(data.size()));
  out += data;
}

}  // namespace

std::optional<DnsQuestion> parse_question(std::string_view message) {
  if (message.size() < kHeaderBytes || (number(message, 2) & kQueryBits) != 0 || number(message, 4) != 1) return std::nullopt;
  DnsQuestion out{.id = static_cast<std::uint16_t>(number(message, 0))};
  std::size_t at = kHeaderBytes;
  for (;;) {
    if (at >= message.size()) return std::nullopt;
    const std::size_t length = static_cast<unsigned char>(message[at++]);
    if (length == 0) break;
    if (length > kMaxLabel || at + length > message.size() || out.name.size() + length > kMaxName) return std::nullopt;
    if (!out.name.empty()) out.name += '.';
    out.name += to_lower(message.substr(at, length));
    at += length;
  }
  if (at + 4 > message.size() || number(message, at + 2) != kClassIn) return std::nullopt;
  out.type = static_cast<std::uint16_t>(number(message, at));
  out.end = at + 4;
  // An OPT record (RFC 6891) alone after the question says how much more than 512 bytes is welcome.
  const bool lonely = number(message, 6) == 0 && number(message, 8) == 0 && number(message, 10) == 1;
  if (lonely && out.end + kOptBytes <= message.size() && message[out.end] == 0 && number(message, out.end + 1) == kTypeOpt)
    out.room = std::max<std::size_t>(out.room, number(message, out.end + 3));
  return out;
}

std::string dns_answer(std::string_view query, const DnsQuestion& question, int code, const std::vector<runtime::IpAddress>& addresses, std::size_t room) {
  std::string out = head(query, question, code);
  unsigned count = 0;
  for (const auto& address : addresses) {
    unsigned char raw[16];
    address.bytes(raw);
    std::string record;
    put_record(record, address.v6 ? kTypeAaaa : kTypeA, {reinterpret_cast<const char*>(raw), address.v6 ? 16U : 4U});
    if (room && out.size() + record.size() > room) {
      put_at(out, 2, number(out, 2) | kCut);
      break;
    }
    out += record;
    ++count;
  }
  put_at(out, 6, count);
  return out;
}

std::string dns_pointer(std::string_view query, const DnsQuestion& question, const std::string& name) {
  std::string data;
  for (const auto label : split(name, '.')) {
    if (label.empty() || label.size() > kMaxLabel) continue;
    data += static_cast<char>(label.size());
    data += label;
  }
  data += '\0';
  std::string out = head(query, question, kNoError);
  put_record(out, kTypePtr, data);
  put_at(out, 6, 1);
  return out;
}

std::optional<runtime::IpAddress> reverse_address(std::string_view name) {
  constexpr std::string_view kV4 = ".in-addr.arpa", kV6 = ".ip6.arpa";
  constexpr std::size_t kV4Parts = 4, kNibbles = 32;
  const bool v6 = name.ends_with(kV6);
  if (!v6 && !name.ends_with(kV4)) return std::nullopt;
  const std::string_view digits = name.substr(0, name.size() - (v6 ? kV6 : kV4).size());
  auto parts = split(digits, '.');
  if (parts.size() != (v6 ? kNibbles : kV4Parts)) return std::nullopt;
  std::string text;
  for (std::size_t i = parts.size(); i-- > 0;) {
    text += parts[i];
    const std::size_t done = parts.size() - i;
    if (i == 0) break;
    if (!v6) text += '.';
    else if (done % 4 == 0) text += ':';
  }
  return runtime::IpAddress::parse(text);
}

}  // namespace mica::container
