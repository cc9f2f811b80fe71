#include "cli/tui_details.h"

#include <algorithm>

#include "base/format.h"
#include "cli/analyze_page.h"
#include "cli/progress_text.h"

namespace mica::cli {
namespace {

constexpr Style kHeading{.bold = true}, kDim{.dim = true};
constexpr int kLabel = 9, kMostInstruction = 4, kOtherLines = 12;   // of layer and image

std::string percent(double share) { return share < 1 ? format("{:.1f} %", std::min(share * 100, 99.9)) : "100 %"; }

class Details {
 public:
  Details(const analyze::Analysis& analysis, int width, const Glyphs& glyphs) : analysis_(analysis), width_(width), glyphs_(glyphs) {}

  /// The instruction takes `most` lines.
  void layer(std::size_t index, int most) {
    const analyze::LayerReport& layer = analysis_.layers[index];
    std::string where = layer.line > 0 ? format("Dockerfile line {}", layer.line) : layer.inherited ? "base image" : "";
    heading(format("Layer {}", index), where);
    for (const auto& line : wrap(shown_name(layer.instruction.empty() ? layer.created_by : layer.instruction, glyphs_), width_, most, glyphs_)) lines.push_back({{line, {}}});
    row("DiffID", layer.diff_id);
    if (!layer.digest.empty()) row("Blob", layer.digest);
    row("Size", format("{} in {} {}{}", shown_size(layer.bytes), layer.files, layer.files == 1 ? "file" : "files", layer.compressed_bytes >= 0 ? format(", {} to pull", shown_size(static_cast<std::uint64_t>(layer.compressed_bytes))) : ""));
    row("Files", format("{} added, {} changed, {} removed", layer.added_files, layer.changed_files, layer.removed_paths));
    row("Waste", format("{} hidden later; hides {}", shown_size(layer.wasted_bytes), shown_size(layer.hidden_bytes)), layer.wasted_bytes > 0 ? Style{.colour = Style::Colour::red} : Style{});
    if (layer.duration_ns >= 0) row("Last run", shown_seconds(layer.duration_ns));
  }

  void image() {
    const auto& waste = analysis_.waste;
    lines.emplace_back();
    heading("Image", shown_name(analysis_.name, glyphs_));
    row("Size", format("{} in {} layers{}", shown_size(analysis_.total_bytes), analysis_.layers.size(),
                       analysis_.compressed_bytes >= 0 ? format(", {} to pull", shown_size(static_cast<std::uint64_t>(analysis_.compressed_bytes))) : ""));
    row("Waste", format("{}, {} reclaimable", shown_size(waste.bytes), shown_size(waste.reclaimable_bytes)));
    row("Efficient", format("{} (dive: {}, {} wasted)", percent(analysis_.efficiency), percent(analysis_.dive.efficiency), shown_size(analysis_.dive.wasted_bytes)));
  }

  void largest_waste(std::size_t room) {
    if (analysis_.rollups.empty() || room < 3) return;
    lines.emplace_back();
    heading("Largest waste", format("layer {} hidden by", glyphs_.arrow()));
    for (std::size_t i = 0; i < std::min(room - 2, analysis_.rollups.size()); ++i) {
      const auto& one = analysis_.rollups[i];
      lines.push_back({{format("{:>8}  {:>2} {} {:<2}  ", shown_size(one.bytes), one.added_layer, glyphs_.arrow(), one.hidden_by_layer), {}},
                       {format("/{}{}", shown_name(one.path, glyphs_), one.is_directory && !one.path.empty() ? "/" : ""), {}}});
    }
  }

  std::vector<Line> lines;

 private:
  void heading(std::string_view text, std::string_view more) { lines.push_back({{std::string(text), kHeading}, {more.empty() ? "" : format("  {}", more), kDim}}); }
  void row(std::string_view label, std::string text, Style style = {}) { lines.push_back({{format("{:<{}} ", label, kLabel), kDim}, {std::move(text), style}}); }
  const analyze::Analysis& analysis_;
  int width_;
  const Glyphs& glyphs_;
};

struct HelpLine {
  std::string_view keys, text;
};
constexpr HelpLine kHelp[] = {
    {"Everywhere", ""},
    {"Tab", "layers or tree"},
    {"Up Down, k j", "one line"},
    {"PageUp PageDown, u d", "one page"},
    {"Home End, g G", "first and last line"},
    {"Ctrl+F, /", "filter: an extended regular expression; Esc drops it"},
    {"Ctrl+L", "changes of the chosen layer"},
    {"q, Ctrl+C", "quit"},
    {"", ""},
    {"Layers", ""},
    {"Ctrl+A", "changes of all layers from the second to the chosen one"},
    {"", ""},
    {"Tree", ""},
    {"Space", "open or close a directory"},
    {"Ctrl+Space", "open or close all"},
    {"Left Right, h l", "out of a directory, into it"},
    {"n N", "next and previous change"},
    {"Ctrl+A R M U", "show or hide what is added, removed, modified, unmodified"},
    {"Ctrl+B", "show or hide mode, owner and size"},
    {"Ctrl+O", "order by name or by size"},
    {"Ctrl+E", "write the file into the working folder"},
    {"", ""},
    {"+ added   ~ modified   - removed", ""},
};

}  // namespace

std::vector<Line> detail_lines(const analyze::Analysis& analysis, std::size_t layer, int width, int height, const Glyphs& glyphs) {
  Details details(analysis, width, glyphs);
  details.layer(layer, std::clamp(height - kOtherLines, 1, kMostInstruction));
  details.image();
  const auto room = static_cast<std::size_t>(std::max(height, 0));
  if (room > details.lines.size()) details.largest_waste(room - details.lines.size());
  if (details.lines.size() > room) details.lines.resize(room);
  return std::move(details.lines);
}

std::vector<Line> help_lines() {
  std::vector<Line> lines;
  for (const auto& [keys, text] : kHelp) {
    if (text.empty()) lines.push_back({{std::string(keys), kHeading}});
    else lines.push_back({{format("  {:<22}", keys), {}}, {std::string(text), {}}});
  }
  return lines;
}

}  // namespace mica::cli
