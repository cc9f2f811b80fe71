#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "lint/output_parts.h"

namespace mica::lint {
namespace {

constexpr std::size_t kWidest = 160;    // of an excerpt, in bytes

class Page {
 public:
  explicit Page(bool colour) : colour_(colour) {}

  void add(const Item& item, const LineIndex& lines) {
    const std::string place = format("{}:{}:{}:", item.report->file, item.begin.line, item.begin.column);
    text_ += format("{} {} {}: {}\n", bold(place), painted(severity_name(item.severity), item.severity), bold(std::string(item.code)), item.message);
    excerpt(item, lines);
    if (!item.finding) return;
    const Finding& finding = *item.finding;
    if (finding.bytes || finding.seconds) text_ += format("    costs {}\n", cost(finding));
    if (finding.fix && finding.fix->kind != FixKind::none)
      text_ += format("    fix{}: {}\n", finding.fix->kind == FixKind::ask ? " (--unsafe)" : finding.fix->kind == FixKind::data ? " (with data)" : "", finding.fix->title);
  }

  void summary(std::span<const Report> reports) {
    const Count count = count_findings(reports);
    const std::string files = reports.size() == 1 ? "" : format(" in {} files", reports.size());
    if (count.total() == 0) {
      text_ += count.suppressed == 0 ? format("no findings{}\n", files) : format("no findings{} ({} hidden by comments)\n", files, count.suppressed);
      return;
    }
    text_ += format("{} finding{}{}: {} error{}, {} warning{}, {} info, {} style", count.total(), count.total() == 1 ? "" : "s", files, count.errors, count.errors == 1 ? "" : "s", count.warnings,
                    count.warnings == 1 ? "" : "s", count.infos, count.styles);
    if (count.suppressed > 0) text_ += format(" ({} hidden by comments)", count.suppressed);
    text_ += "\n";
    if (count.fixable > 0) text_ += format("--fix mends {}{}\n", count.fixable, count.fixable_on_request > 0 ? format(", --fix --unsafe {} more", count.fixable_on_request) : "");
    else if (count.fixable_on_request > 0) text_ += format("--fix --unsafe mends {}\n", count.fixable_on_request);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string bold(std::string text) const { return colour_ ? format("\x1b[1m{}\x1b[0m", text) : text; }
  std::string painted(std::string_view text, Severity severity) const {
    if (!colour_) return std::string(text);
    const std::string_view code = severity == Severity::error ? "31" : severity == Severity::warning ? "33" : severity == Severity::info ? "36" : "35";
    return format("\x1b[{}m{}\x1b[0m", code, text);
  }
  static std::string cost(const Finding& finding) {
    std::string text;
    if (finding.bytes) text = human_size(*finding.bytes);
    if (finding.seconds) text += format("{}{:.1f} s", text.empty() ? "" : " and ", *finding.seconds);
    return text;
  }

  /// The line, with control characters made visible, and carets below what is meant.
  void excerpt(const Item& item, const LineIndex& lines) {
    const Span span = lines.line(item.begin.line);
    std::string_view line = std::string_view(item.report->source).substr(span.begin, span.end - span.begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::size_t begin = std::min(line.size(), static_cast<std::size_t>(item.begin.column - 1));
    const std::size_t end = item.end.line == item.begin.line ? std::min(line.size(), static_cast<std::size_t>(item.end.column - 1)) : line.size();
    std::size_t length = std::max<std::size_t>(1, end > begin ? end - begin : 1);
    std::string head;
    if (line.size() > kWidest && begin > kWidest / 2) {   // the part that matters
      std::size_t cut = begin - kWidest / 4;
      while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xc0) == 0x80) --cut;
      line.remove_prefix(cut);
      begin -= cut;
      head = "...";
    }
    if (line.size() > kWidest) {
      std::size_t cut = kWidest;
      while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xc0) == 0x80) --cut;
      line = line.substr(0, cut);
    }
    length = std::min(length, std::max<std::size_t>(1, line.size() - std::min(line.size(), begin)));
    std::string shown, marks(head.size(), ' ');
    for (std::size_t i = 0; i < line.size(); ++i) {
      const auto byte = static_cast<unsigned char>(line[i]);
      shown += byte == '\t' ? ' ' : byte < 0x20 || byte == 0x7f ? '?' : line[i];
      if ((byte & 0xc0) != 0x80) marks += i >= begin && i < begin + length ? '^' : ' ';
    }
    if (begin >= line.size()) marks += '^';
    marks.resize(marks.find_last_of('^') + 1);
    text_ += format("{:5} | {}{}\n      | {}\n", item.begin.line, head, shown, colour_ ? format("\x1b[32m{}\x1b[0m", marks) : marks);
  }

  bool colour_;
  std::string text_;
};

}  // namespace

std::string write_tty(std::span<const Report> reports, const Look& look) {
  Page page(look.colour);
  for (const Report& report : reports) {
    const LineIndex lines(report.source);
    each_item(report, false, [&](const Item& item) { page.add(item, lines); });
  }
  page.summary(reports);
  return page.take();
}

}  // namespace mica::lint
