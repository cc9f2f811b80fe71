#include "cli/report_html.h"

#include "base/format.h"

namespace mica::cli {
namespace {

/// Bytes of the UTF-8 character at `at`; 0: it is none.
std::size_t character(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U; };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0) || (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90)) return 0;
  return length;
}

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character(text, i);
    const auto c = static_cast<unsigned char>(text[i]);
    if (length == 0) out += kReplacement;
    else if (length > 1) out += text.substr(i, length);
    else if (c < 0x20) out.append("\xe2\x90").push_back(static_cast<char>(0x80 + c));
    else if (c == 0x7f) out += "\xe2\x90\xa1";
    else if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else out.push_back(text[i]);
    i += length == 0 ? 1 : length;
  }
  return out;
}

std::string code(std::string_view text) { return "<code>" + escaped(text) + "</code>"; }

std::string clipped(std::string_view text) { return format("<span class=\"clip\"{}>{}</span>", text.size() > 120 ? format(" title=\"{}\"", escaped(text)) : "", code(text)); }

std::string path_link(std::string_view path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out = "#path=";
  const auto encode = [&](std::string_view bytes) {
    for (const char c : bytes) {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  };
  for (std::size_t i = 0; i < path.size();) {
    const std::size_t length = character(path, i);
    const char c = path[i];
    if (length == 0) encode(kReplacement);
    else if (length == 1 && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("/-._~+@").find(c) != std::string_view::npos)) out.push_back(c);
    else encode(path.substr(i, length));
    i += length == 0 ? 1 : length;
  }
  return out;
}

std::string bar(double start, const std::vector<BarPart>& parts, std::string_view label) {
  std::string out = format("<svg class=\"bar\" width=\"100%\" height=\"12\" role=\"img\" aria-label=\"{}\">", escaped(label));
  for (const BarPart& part : parts) {
    // What is there is seen, however small.
    const double width = part.share > 0 ? std::max(part.share, 0.004) : 0;
    if (width > 0) out += format("<rect class=\"{}\" x=\"{:.2f}%\" width=\"{:.2f}%\" height=\"12\"/>", part.kind, std::min(start, 0.996) * 100, width * 100);
    start += part.share;
  }
  return out + "</svg>";
}

HtmlTable::HtmlTable(std::string_view id, std::string_view caption, std::vector<Column> columns) : columns_(std::move(columns)) {
  head_ = format("<table id=\"{}\" class=\"list\"><caption>{}</caption><thead><tr>", id, escaped(caption));
  constexpr const char* kClasses[] = {"", " class=\"num\"", " class=\"wide\""};
  for (const Column& column : columns_)
    head_ += format("<th scope=\"col\"{}{}>{}</th>", kClasses[static_cast<int>(column.align)], column.sortable ? "" : " data-plain", escaped(column.title));
  head_ += "</tr></thead>";
}

void HtmlTable::row(const std::vector<Cell>& cells, std::string_view attributes) {
  if (body_.empty()) body_ = "<tbody>";
  constexpr const char* kClasses[] = {"", " class=\"num\"", " class=\"wide\""};
  body_ += format("<tr{}>", attributes);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    body_ += format("<td{} data-label=\"{}\"", kClasses[static_cast<int>(columns_[i].align)], escaped(columns_[i].title));
    if (cells[i].value) body_ += format(" data-v=\"{}\"", *cells[i].value);
    body_ += ">" + cells[i].html + "</td>";
  }
  body_ += "</tr>\n";
}

void HtmlTable::group(std::string_view name) { body_ += (body_.empty() ? "" : "</tbody>") + format("<tbody class=\"{}\">", name); }

std::string HtmlTable::str() const {
  std::string out = head_ + body_ + (body_.empty() ? "" : "</tbody>");
  if (!note_.empty()) out += format("<tfoot><tr><td colspan=\"{}\">{}</td></tr></tfoot>", columns_.size(), note_);
  return out + "</table>\n";
}

}  // namespace mica::cli
