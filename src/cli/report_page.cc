#include "cli/report_page.h"

#include <span>

#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/analyze_page.h"
#include "cli/report_html.h"
#include "cli/report_parts.h"

namespace mica::cli {
namespace {

using analyze::Analysis;

std::string source_digest(std::string_view text) {
  const Sha256Bytes digest = sha256(text);
  return "'sha256-" + base64({reinterpret_cast<const char*>(digest.data()), digest.size()}) + "'";
}

std::string percent(double share) { return format("{:.1f} %", share * 100); }

/// Seconds that a pull takes at least.
std::string pull_times(std::int64_t bytes) {
  std::string out;
  for (const int megabits : {10, 100, 1000}) {
    const double seconds = static_cast<double>(bytes) * 8 / (megabits * 1e6);
    out += format("{}{} at {} Mbit/s", out.empty() ? "" : ", ", seconds < 100 ? format("{:.{}f} s", seconds, seconds < 10 ? 1 : 0) : format("{:.0f} min", seconds / 60), megabits);
  }
  return out;
}

class Figures {
 public:
  void add(std::string_view name, const std::string& value, const std::string& detail, std::string_view link = {}, std::string_view kind = {}) {
    const std::string title = link.empty() ? escaped(name) : format("<a href=\"#{}\">{}</a>", link, escaped(name));
    text_ += format("<div{}><dt>{}</dt><dd><b>{}</b><span>{}</span></dd></div>", kind.empty() ? "" : format(" class=\"{}\"", kind), title, value, detail);
  }
  std::string str() const { return "<dl class=\"figures\">" + text_ + "</dl>"; }

 private:
  std::string text_;
};

std::string figures(const Analysis& analysis) {
  Figures out;
  const auto& waste = analysis.waste;
  out.add("Unpacked", shown_size(analysis.total_bytes), format("{} files in {} layers", analysis.files, analysis.layers.size()), "layers");
  if (analysis.compressed_bytes >= 0) out.add("To pull", human_size(analysis.compressed_bytes), pull_times(analysis.compressed_bytes));
  out.add("Efficiency", percent(analysis.efficiency), format("dive’s measure: {}", percent(analysis.dive.efficiency)), "", analysis.efficiency < 0.9 ? "bad" : analysis.efficiency >= 0.95 ? "good" : "");
  std::string whose;
  if (waste.bytes > 0 && waste.inherited_bytes == 0) whose = "all of it can be avoided";
  else if (waste.bytes > 0 && waste.reclaimable_bytes == 0) whose = "all of it is the base image’s";
  else if (waste.bytes > 0) whose = format("{} reclaimable, {} of the base", shown_size(waste.reclaimable_bytes), shown_size(waste.inherited_bytes));
  else whose = "every stored byte is in use";
  out.add("Waste", shown_size(waste.bytes), whose, "waste", waste.reclaimable_bytes > analysis.total_bytes / 20 ? "bad" : "");
  if (analysis.package_cache_bytes > 0) out.add("Package caches", shown_size(analysis.package_cache_bytes), "can be fetched again", "caches");
  if (analysis.duplicate_bytes > 0) out.add("Duplicates", shown_size(analysis.duplicate_bytes), format("{} {}", analysis.duplicates.size(), analysis.duplicates.size() == 1 ? "group" : "groups"), "duplicates");
  return out.str();
}

constexpr std::string_view kMap = R"(<div class="script" id="map-box" hidden>
<div class="tools"><fieldset><legend>Colour by</legend>
<label><input type="radio" name="colour" value="layer" checked> layer</label>
<label><input type="radio" name="colour" value="kind"> kind</label>
<label id="by-owner"><input type="radio" name="colour" value="owner"> package</label></fieldset>
<label id="with-dead"><input type="checkbox" id="dead"> dead bytes</label></div>
<nav aria-label="Folder"><ol id="crumbs"></ol></nav>
<svg id="map" role="group" aria-label="Map of the file system; area is bytes. Arrow keys move, Enter opens, Escape goes up." aria-describedby="map-info"></svg>
<p id="map-info" aria-live="polite"></p><ul id="legend" aria-label="Colours"></ul></div>
<p class="no-script">The map is drawn by a script; the tables below tell the same without it.</p>)";

/// Patterns that bars and the map share.
constexpr std::string_view kPatterns = R"html(<svg class="patterns" width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/><rect class="hatch-line" width="2.4" height="6"/></pattern></defs></svg>)html";

std::string base_words(const Analysis& analysis) {
  if (analysis.base.layers == 0) return {};
  return format(" · on {}", analysis.base.name.empty() ? format("{} layers of a base image", analysis.base.layers) : code(analysis.base.name));
}

}  // namespace

std::string report_page(const engine::ImageReport& report, Timestamp now) {
  const Analysis& analysis = report.analyzed.analysis;
  std::vector<ReportSection> sections{{"map-section", "Files", std::string(kMap)}};
  for (auto* make : {layers_section, waste_section, caches_section, duplicates_section, largest_section, build_section, dockerfile_section, sizes_section})
    if (auto section = make(report); !section.html.empty()) sections.push_back(std::move(section));
  const std::string name = escaped(analysis.name);
  std::string out = format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>{} – image report</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{}</style>\n</head>\n<body>\n",
      source_digest(kReportStyle), source_digest(kReportScript), name, kReportStyle);
  out += kPatterns;
  out += "<a class=\"skip\" href=\"#main\">Skip to the report</a>\n<header class=\"top\"><nav aria-label=\"Sections\"><ul>";
  for (const auto& section : sections) out += format("<li><a href=\"#{}\">{}</a></li>", section.id, section.title);
  out += "</ul></nav><div class=\"script find\"><label for=\"search\">Search</label><input id=\"search\" type=\"search\" placeholder=\"path, line, word  ( / )\" autocomplete=\"off\" spellcheck=\"false\">"
         "<button id=\"theme\" type=\"button\" aria-label=\"Colours: automatic\">◐</button></div><div id=\"found\" role=\"status\" aria-live=\"polite\"></div></header>\n<main id=\"main\">\n";
  out += format("<h1>{}</h1><p class=\"about\">{}{}{} · <time datetime=\"{}\">{}</time></p>\n", code(analysis.name), escaped(analysis.platform),
                analysis.id.empty() ? "" : format(" · <span title=\"{}\">image {}</span>", escaped(analysis.id), escaped(analysis.id.substr(analysis.id.find(':') + 1, 12))), base_words(analysis), rfc3339(now),
                docker_time(Timestamp::from_seconds(now.seconds())).substr(0, 16));
  out += figures(analysis);
  for (const auto& section : sections) out += format("<section id=\"{}\" aria-labelledby=\"{}-title\"><h2 id=\"{}-title\">{}</h2>\n{}</section>\n", section.id, section.id, section.id, section.title, section.html);
  out += format("</main>\n<footer>Made by mica {}. The page needs no network; its figures are in it as JSON (the element <code>#data</code>).</footer>\n", escaped(MICA_VERSION));
  out += "<script type=\"application/json\" id=\"data\">" + json::write_for_html(report_data(report, now)) + "</script>\n";
  return out + format("<script>{}</script>\n</body>\n</html>\n", kReportScript);
}

}  // namespace mica::cli
