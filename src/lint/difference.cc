#include "lint/difference.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/format.h"

namespace mica::lint {
namespace {

constexpr std::size_t kAround = 3;
constexpr std::size_t kMaxCells = 16 << 20;   // of the table; longer differing parts are shown as replaced whole

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::size_t length = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

struct Line {
  char mark;                 ///< ' ', '-', '+'
  std::string_view text;
};

/// By the longest common subsequence of what lies between the common beginning and end.
std::vector<Line> compare(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
  std::vector<Line> out;
  std::size_t head = 0, tail = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  for (std::size_t i = 0; i < head; ++i) out.push_back({' ', a[i]});
  const std::size_t n = a.size() - head - tail, m = b.size() - head - tail;
  std::size_t i = 0, j = 0;
  if ((n + 1) * (m + 1) <= kMaxCells) {
    std::vector<std::uint32_t> common((n + 1) * (m + 1));
    const auto at = [&](std::size_t x, std::size_t y) -> std::uint32_t& { return common[x * (m + 1) + y]; };
    for (std::size_t x = n; x-- > 0;)
      for (std::size_t y = m; y-- > 0;) at(x, y) = a[head + x] == b[head + y] ? at(x + 1, y + 1) + 1 : std::max(at(x + 1, y), at(x, y + 1));
    while (i < n && j < m) {
      if (a[head + i] == b[head + j]) out.push_back({' ', a[head + i]}), ++i, ++j;
      else if (at(i + 1, j) >= at(i, j + 1)) out.push_back({'-', a[head + i++]});
      else out.push_back({'+', b[head + j++]});
    }
  }
  while (i < n) out.push_back({'-', a[head + i++]});
  while (j < m) out.push_back({'+', b[head + j++]});
  for (std::size_t k = a.size() - tail; k < a.size(); ++k) out.push_back({' ', a[k]});
  return out;
}

/// "12,3": where a part begins and how many lines it has; of no lines, where the one before it is.
std::string extent(std::size_t begin, std::size_t count) { return count == 1 ? format("{}", begin + 1) : format("{},{}", count == 0 ? begin : begin + 1, count); }

}  // namespace

std::string line_difference(std::string_view name, std::string_view before, std::string_view after) {
  if (before == after) return {};
  const auto lines = compare(lines_of(before), lines_of(after));
  std::string text = format("--- {0}\n+++ {0}\n", name);
  std::size_t old_line = 0, new_line = 0;      // number of lines before `at`
  for (std::size_t at = 0; at < lines.size();) {
    std::size_t change = at;
    while (change < lines.size() && lines[change].mark == ' ') ++change;
    if (change == lines.size()) break;
    const std::size_t begin = change - std::min(kAround, change - at);
    old_line += begin - at;
    new_line += begin - at;
    std::size_t end = change, same = 0;        // a part goes on while changes are near enough to share their surroundings
    while (end < lines.size() && same <= 2 * kAround) same = lines[end++].mark == ' ' ? same + 1 : 0;
    end -= same > kAround ? same - kAround : 0;
    std::string body;
    std::size_t removed = 0, added = 0, kept = 0;
    for (std::size_t i = begin; i < end; ++i) {
      (lines[i].mark == ' ' ? kept : lines[i].mark == '-' ? removed : added) += 1;
      body += lines[i].mark;
      body += lines[i].text;
      if (!lines[i].text.ends_with('\n')) body += "\n\\ No newline at end of file\n";
    }
    text += format("@@ -{} +{} @@\n{}", extent(old_line, kept + removed), extent(new_line, kept + added), body);
    old_line += kept + removed;
    new_line += kept + added;
    at = end;
  }
  return text;
}

}  // namespace mica::lint
