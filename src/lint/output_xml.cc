#include "base/format.h"
#include "lint/output_parts.h"

namespace mica::lint {
namespace {

constexpr std::string_view kHead = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// For attributes and text. Control characters that XML 1.0 cannot say become U+FFFD.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&apos;"; break;
      case '\n': out += "&#10;"; break;
      case '\t': out += "&#9;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? "\xef\xbf\xbd" : std::string(1, c);
    }
  return out;
}

}  // namespace

std::string write_checkstyle(std::span<const Report> reports) {
  std::string text = std::string(kHead) + "<checkstyle version=\"4.3\">\n";
  for (const Report& report : reports) {
    text += format("<file name=\"{}\">\n", escaped(report.file));
    each_item(report, false, [&](const Item& item) {
      text += format("<error line=\"{}\" column=\"{}\" severity=\"{}\" message=\"{}\" source=\"{}\"/>\n", item.begin.line, item.begin.column, severity_name(item.severity), escaped(item.message),
                     escaped(item.code));
    });
    text += "</file>\n";
  }
  return text + "</checkstyle>\n";
}

std::string write_junit(std::span<const Report> reports) {
  std::string text = std::string(kHead) + "<testsuites>\n";
  for (const Report& report : reports) {
    std::string cases;
    std::size_t failures = 0;
    each_item(report, false, [&](const Item& item) {
      ++failures;
      cases += format("<testcase name=\"{0}:{1}:{2} {3}\" classname=\"{3}\"><failure type=\"{4}\" message=\"{5}\"/></testcase>\n", escaped(report.file), item.begin.line, item.begin.column, escaped(item.code),
                      severity_name(item.severity), escaped(item.message));
    });
    if (failures == 0) cases = format("<testcase name=\"{}\" classname=\"lint\"/>\n", escaped(report.file));
    text += format("<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\">\n{}</testsuite>\n", escaped(report.file), std::max<std::size_t>(failures, 1), failures, cases);
  }
  return text + "</testsuites>\n";
}

}  // namespace mica::lint
