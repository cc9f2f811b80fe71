#include "build/plan_faults.h"

#include <algorithm>

#include "base/format.h"
#include "dockerfile/parser.h"

namespace mica::build {
namespace {

constexpr std::size_t kShownFaults = 10;

/// Column of `word` in line `line`, from 1; 0 when it does not stand there as written.
int column_of(std::string_view source, int line, std::string_view word) {
  std::size_t begin = 0;
  for (int number = 1; number < line; ++number) {
    const std::size_t end = source.find('\n', begin);
    if (end == source.npos) return 0;
    begin = end + 1;
  }
  const std::size_t at = source.substr(begin, source.find('\n', begin) - begin).find(word);
  return at == source.npos ? 0 : static_cast<int>(at) + 1;
}

}  // namespace

SourcePosition Faults::position_of(const Error& error, const dockerfile::Range& where, std::string_view word) const {
  SourcePosition position{.file = file_.name, .line = where.line};
  dockerfile::Range shown = where;
  shown.column = 1;
  if (!word.empty() && error.position() && error.position()->column > 0)
    if (const int column = column_of(file_.source, where.line, word); column > 0)
      position.column = shown.column = column + error.position()->column - 1;
  if (where.line > 0) position.excerpt = dockerfile::excerpt(file_.source, shown);
  return position;
}

void Faults::add(Error error, const dockerfile::Range& where, std::string_view word) {
  SourcePosition position = position_of(error, where, word);
  // A position within a word says nothing to people; actions would stand before the place.
  const bool placed = error.position() && !error.position()->file.empty();
  if (!placed) {
    Error bare(error.code(), error.position() ? error.message() : error.text());
    if (!error.hint().empty()) bare = std::move(bare).with_hint(error.hint());
    error = std::move(bare);
  }
  const bool known = std::ranges::any_of(faults_, [&](const Fault& f) {
    return f.position.line == position.line && f.error.code() == error.code() && f.error.text() == error.text();
  });
  if (!known) faults_.push_back({std::move(error), std::move(position)});
}

Error Faults::take() {
  MICA_ASSERT(!faults_.empty(), "there is a fault to tell");
  for (Fault& fault : faults_)
    if (fault.error.code() == Errc::cancelled) return std::move(fault.error);
  std::ranges::stable_sort(faults_, {}, [](const Fault& f) { return f.position.line; });
  Fault& first = faults_.front();
  for (std::size_t i = 1; i < std::min(faults_.size(), kShownFaults); ++i) {
    Error further = std::move(faults_[i].error);
    if (!first.position.excerpt.empty() && !first.position.excerpt.ends_with('\n')) first.position.excerpt += '\n';
    first.position.excerpt += std::move(further).at(std::move(faults_[i].position)).full_text() + "\n";
  }
  if (faults_.size() > kShownFaults) first.position.excerpt += format("and {} more errors\n", faults_.size() - kShownFaults);
  return std::move(first.error).at(std::move(first.position));
}

}  // namespace mica::build
