#include "engine/lint_measured.h"

#include <algorithm>
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/parser.h"
#include "lint/inspection.h"
#include "lint/rule.h"
#include "lint/secrets.h"

namespace mica::engine {
namespace {

constexpr std::uint64_t kWorthTelling = 1024;       // bytes: below, a finding is noise
constexpr std::size_t kMostNamed = 3;               // places in one message
constexpr std::size_t kMostScript = 64 << 10;       // larger files are hardly scripts

std::string shown(std::string_view path, bool is_folder = false) { return format("/{}{}", path, is_folder && !path.empty() ? "/" : ""); }

class Measuring {
 public:
  Measuring(Engine& engine, const MeasureRequest& request, lint::Report& report, const lint::Options& options)
      : engine_(engine), request_(request), report_(report), options_(options), parsed_(dockerfile::parse(report.file, report.source, {.fragment = true})), inspection_(parsed_.file, options) {}

  Result<> run(const task::Cancel& cancel) {
    image_ = TRY(analyze_image(engine_, {.what = request_.image, .remote = false, .platform = request_.platform, .base = {}, .wanted = is_wanted, .remark = {}}, {}, cancel));
    place_layers();
    waste();
    caches();
    duplicates();
    secrets();
    scripts();
    TRY(base_drift());
    seconds();
    lint::add_findings(report_, std::move(found_), options_);
    return {};
  }

 private:
  using View = lint::InstructionView;

  static bool is_wanted(std::string_view path) { return lint::is_credential_file(path) || path.ends_with(".sh") || path.ends_with(".env") || base_name(path).find('.') == std::string::npos; }

  /// Which instruction made each layer of ours: by the line of the build's record, if that line holds such an instruction still; else by the text of the history, from the
  /// last layer to the first, as equal instructions follow each other in both.
  void place_layers() {
    const auto& layers = image_.analysis.layers;
    place_.resize(layers.size(), nullptr);
    std::size_t next = inspection_.instructions.size();
    for (std::size_t i = layers.size(); i-- > 0;) {
      if (layers[i].inherited) continue;
      for (std::size_t k = next; k-- > 0;) {
        const View& view = inspection_.instructions[k];
        const bool fits = layers[i].line > 0 ? view.line() == layers[i].line && layers[i].instruction.starts_with(view.instruction->keyword) : same_text(layers[i].created_by, view);
        if (!fits) continue;
        place_[i] = &view;
        next = k;
        break;
      }
    }
  }
  static bool same_text(std::string_view created_by, const View& view) {
    if (const auto* run = std::get_if<dockerfile::Run>(&view.instruction->command))
      return !run->command.exec_form && !run->command.words.empty() && created_by.find(trim(run->command.words[0])) != std::string_view::npos;
    return created_by.starts_with(trim(view.instruction->text));
  }
  const View* place_of(std::size_t layer) const { return layer < place_.size() ? place_[layer] : nullptr; }
  std::string line_of(std::size_t layer) const {
    const View* view = place_of(layer);
    return view ? format("line {}", view->line()) : format("layer {}", layer);
  }

  void add(std::string_view rule_id, const View& view, std::string message, std::optional<std::int64_t> bytes) {
    const lint::Rule& rule = lint::rule_of(rule_id);
    std::erase_if(report_.findings, [&](const lint::Finding& finding) { return finding.rule == &rule && finding.instruction_line == view.line() && !finding.bytes; });
    found_.push_back({.rule = &rule, .message = std::move(message), .where = inspection_.keyword(*view.instruction), .instruction_line = view.line(), .fix = {}, .bytes = bytes});
  }

  /// Of all that one step hides of one other, one finding.
  void waste() {
    struct Sum {
      std::uint64_t bytes = 0;
      std::vector<std::string> paths;
      bool owner = false, mode = false;
    };
    std::map<std::tuple<std::size_t, std::size_t, bool>, Sum> sums;   // hidden by, added by, deleted
    for (const auto& rollup : image_.analysis.rollups) {
      if (rollup.inherited || !place_of(rollup.hidden_by_layer)) continue;
      Sum& sum = sums[{rollup.hidden_by_layer, rollup.added_layer, rollup.kind == analyze::DeadKind::deleted}];
      sum.bytes += rollup.bytes;
      sum.owner |= rollup.changed.owner;
      sum.mode |= rollup.changed.mode;
      sum.paths.push_back(shown(rollup.path, rollup.is_directory));
    }
    for (const auto& [key, sum] : sums) {
      const auto& [hider, adder, deleted] = key;
      if (sum.bytes < kWorthTelling) continue;
      const std::string size = human_size(static_cast<std::int64_t>(sum.bytes));
      std::string message;
      if (deleted) message = format("deletes {} that {} added: {} stay in its layer", list(sum.paths), line_of(adder), size);
      else
        message = format("stores {} again{}: {} of {} are in the image for nothing", list(sum.paths), sum.owner ? " for the owner" : sum.mode ? " for the mode" : "", size, line_of(adder));
      add(deleted ? "delete-later" : "rewrite-later", *place_of(hider), std::move(message), static_cast<std::int64_t>(sum.bytes));
    }
  }
  static std::string list(const std::vector<std::string>& paths) {
    std::string text;
    for (std::size_t i = 0; i < std::min(paths.size(), kMostNamed); ++i) text += format("{}{}", i ? ", " : "", paths[i]);
    return paths.size() > kMostNamed ? format("{} and {} more", text, paths.size() - kMostNamed) : text;
  }

  void caches() {
    std::map<const View*, std::int64_t> at;
    for (const auto& cache : image_.analysis.package_caches) {
      const View* view = place_of(cache.layer);
      if (!view || cache.bytes < kWorthTelling) continue;
      add("package-cache-left", *view, format("leaves the cache of {} in {}: {}", cache.manager, shown(cache.path), cache.remedy), static_cast<std::int64_t>(cache.bytes));
      at[view] += static_cast<std::int64_t>(cache.bytes);
    }
    // A command that cleans up is missing, says the text; the layers tell whether that cost anything.
    constexpr std::string_view kCacheRules[] = {"DL3009", "DL3019", "DL3032", "DL3036", "DL3040", "DL3042", "DL3060", "package-cache-left"};
    std::erase_if(report_.findings, [&](lint::Finding& finding) {
      if (std::find(std::begin(kCacheRules), std::end(kCacheRules), finding.rule->id) == std::end(kCacheRules)) return false;
      const auto* view = measured_at(finding.instruction_line);
      if (!view) return false;
      const auto found = at.find(view);
      if (found != at.end()) finding.bytes = found->second;
      return found == at.end();
    });
  }
  /// The instruction at a line, if a layer of the image is its.
  const View* measured_at(int line) const {
    for (const View* view : place_)
      if (view && view->line() == line) return view;
    return nullptr;
  }

  void duplicates() {
    std::map<std::size_t, std::pair<std::uint64_t, std::vector<std::string>>> by_layer;
    for (const auto& group : image_.analysis.duplicates) {
      if (group.paths.size() < 2) continue;
      const std::size_t last = *std::max_element(group.layers.begin(), group.layers.end());
      auto& [bytes, texts] = by_layer[last];
      bytes += group.bytes;
      texts.push_back(format("{} is {} too", shown(group.paths[1]), shown(group.paths[0])));
    }
    for (const auto& [layer, sum] : by_layer)
      if (const View* view = place_of(layer); view && sum.first >= kWorthTelling) add("duplicate-files", *view, list(sum.second), static_cast<std::int64_t>(sum.first));
  }

  void secrets() {
    const auto& layers = image_.source.image.layers;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const View* view = place_of(i);
      if (!view) continue;
      for (const auto& [path, content] : layers[i].contents) {
        const auto secrets = lint::find_secrets(content);
        if (secrets.empty()) continue;
        const bool dead = std::any_of(image_.analysis.findings.begin(), image_.analysis.findings.end(), [&, p = path](const auto& finding) { return finding.path == p && finding.added_layer == i; });
        add("secret-in-image", *view, format("{} holds {}{}", shown(path), secrets[0].kind, dead ? "; a later step hides it, the layer still has it" : ""), std::nullopt);
      }
    }
    for (const auto& entry : image_.source.config.env) {
      const auto parts = split_once(entry, '=');
      if (!parts || lint::find_secrets(parts->second).empty()) continue;
      for (const auto& view : inspection_.instructions)
        if (const auto* env = std::get_if<dockerfile::Env>(&view.instruction->command); env && std::any_of(env->pairs.begin(), env->pairs.end(), [&](const auto& pair) { return pair.key == parts->first; }))
          add("secret-in-image", view, format("the configuration of the image holds {} in {}", lint::find_secrets(parts->second)[0].kind, parts->first), std::nullopt);
    }
  }

  void scripts() {
    for (const auto& live : analyze::live_files(image_.source.image)) {
      if (!live.entry || live.entry->size > kMostScript || !place_of(live.layer)) continue;
      const std::size_t layer = first_with(live);
      const View* view = place_of(layer);
      const auto& contents = image_.source.image.layers[layer].contents;
      const auto found = contents.find(std::string(live.path));
      if (!view || found == contents.end() || !found->second.starts_with("#!")) continue;
      const auto end = found->second.find('\n');
      if (end == std::string::npos || found->second[end - 1] != '\r') continue;
      add("script-carriage-returns", *view, format("{} begins with {} and a carriage return", shown(live.path), quoted(trim_right(found->second.substr(0, end), "\r"))), std::nullopt);
    }
  }

  /// Whoever brought the content to this path; a later step may have stored it again.
  std::size_t first_with(const analyze::LiveFile& live) const {
    const auto& layers = image_.source.image.layers;
    for (std::size_t i = 0; i < live.layer; ++i) {
      const auto entry = std::ranges::lower_bound(layers[i].entries, live.path, {}, [](const analyze::Entry& e) { return std::string_view(e.path); });
      if (entry != layers[i].entries.end() && entry->path == live.path && entry->digest == live.entry->digest) return i;
    }
    return live.layer;
  }

  /// The store's image of the base's name has other layers than this image's lowest.
  Result<> base_drift() {
    const auto& base = image_.analysis.base;
    if (base.name.empty() || base.layers == 0 || inspection_.stages.empty()) return {};
    const auto now = read_image(engine_, {.what = base.name, .remote = false, .platform = request_.platform, .base = "none", .wanted = {}, .remark = {}}, {});
    if (!now) return {};     // not in the store: nothing can be said
    const auto& layers = image_.source.image.layers;
    const auto& its = now->image.layers;
    bool same = its.size() <= layers.size();
    for (std::size_t i = 0; same && i < its.size(); ++i) same = its[i].diff_id == layers[i].diff_id;
    if (same) return {};
    const auto& stage = *inspection_.stages.back().stage;
    found_.push_back({.rule = &lint::rule_of("base-drift"), .message = format("{} stands for another image now than when {} was built", base.name, image_.analysis.name), .where = inspection_.whole(stage),
                      .instruction_line = stage.where.line, .fix = {}});
    return {};
  }

  void seconds() {
    for (auto& finding : report_.findings) {
      if (finding.rule->id != "cache-order" && finding.rule->id != "volatile-early") continue;
      double sum = 0;
      bool known = false;
      for (const auto& layer : image_.analysis.layers) {
        if (layer.inherited || layer.duration_ns < 0) continue;
        const View* view = place_of(layer.index);
        const bool counts = view && (finding.rule->id == "cache-order" ? view->line() == finding.instruction_line : view->line() >= finding.instruction_line);
        if (counts) sum += static_cast<double>(layer.duration_ns) / 1e9, known = true;
      }
      if (known) finding.seconds = sum;
    }
  }

  Engine& engine_;
  const MeasureRequest& request_;
  lint::Report& report_;
  const lint::Options& options_;
  dockerfile::Parsed parsed_;
  lint::Inspection inspection_;
  AnalyzedImage image_;
  std::vector<const View*> place_;          // by layer; null: the base's, or nobody's
  std::vector<lint::Finding> found_;
};

}  // namespace

Result<> add_measured_findings(Engine& engine, const MeasureRequest& request, lint::Report& report, const lint::Options& options, task::Cancel cancel) {
  return Measuring(engine, request, report, options).run(cancel);
}

}  // namespace mica::engine
