#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/template.h"
#include "engine/create_index.h"
#include "engine/inspect_index.h"
#include "engine/interrupt.h"
#include "oci/platform.h"
#include "sys/fd.h"

namespace mica::cli {
namespace {

constexpr Flag kCreateFlags[] = {
    {"annotation", 0, "stringArray", "Add annotation to the image"},
    {"append", 0, "", "Append to existing manifest"},
    {"builder", 0, "string", ""},
    {"dry-run", 0, "", "Show final image instead of pushing"},
    {"file", 'f', "stringArray", "Read source descriptor from file"},
    {"platform", 'p', "stringArray", "Filter specified platforms of target image"},
    {"prefer-index", 0, "", "When only a single source is specified,\nprefer outputting an image index or\nmanifest list instead of performing a\ncarbon copy (default true)"},
    {"progress", 0, "string", "Set type of progress output (\"auto\",\n\"none\", \"plain\", \"tty\") (default \"auto\")"},
    {"tag", 't', "stringArray", "Set reference for new image"},
};
constexpr Flag kInspectFlags[] = {
    {"builder", 0, "string", ""},
    {"format", 0, "string", "Format the output using the given Go template"},
    {"raw", 0, "", "Show original, unformatted JSON manifest"},
};

void remark(std::string text) { note(text + "\n"); }

Result<int> create(Context& context) {
  const Args& args = context.args;
  engine::CreateIndex request{.tags = args.list("tag"), .append = args.flag("append"), .annotations = args.list("annotation"), .platforms = args.list("platform"),
                              .prefer_index = args.flag("prefer-index", true), .dry_run = args.flag("dry-run")};
  const std::string progress = args.text("progress", "auto");
  constexpr std::string_view kProgress[] = {"auto", "none", "plain", "quiet", "tty"};
  if (std::ranges::find(kProgress, progress) == std::end(kProgress)) return failf(Errc::invalid_argument, "invalid progress mode {}: use auto, plain or none", quoted(progress));
  const bool quiet = progress == "none" || progress == "quiet";
  for (const auto& file : args.list("file")) {
    const auto text = TRY(sys::read_file(file, 4 << 20));
    request.sources.emplace_back(trim(text));
  }
  for (const auto& source : args.positionals()) request.sources.push_back(source);
  const auto interrupt = TRY(engine::Interrupt::install());
  engine::CopySession session(remark);
  const auto show = [&](std::string line) {
    if (!quiet) note(line + "\n");
  };
  const auto made = TRY(engine::create_index(session, request, show, interrupt.cancel()));
  if (request.dry_run) TRY(print(made.bytes + "\n"));
  return 0;
}

/// Lines "Name:  value" whose values stand in one column.
class Block {
 public:
  void add(std::string key, std::string value) { lines_.emplace_back(std::move(key), std::move(value)); }
  void flush(std::string& out) {
    std::size_t width = 0;
    for (const auto& line : lines_) width = std::max(width, line.first.size());
    for (const auto& [key, value] : lines_) out += format("{:<{}} {}\n", key, width, value);
    lines_.clear();
  }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

std::string shown_platform(const json::Value& platform) {
  std::string out = platform.string_or("os") + "/" + platform.string_or("architecture");
  if (const auto variant = platform.string_or("variant"); !variant.empty()) out += "/" + variant;
  return out;
}

std::string describe(const engine::InspectedIndex& found) {
  const json::Value& manifest = *found.value.find("manifest");
  std::string out;
  Block block;
  block.add("Name:", found.reference.str());
  block.add("MediaType:", manifest.string_or("mediaType"));
  block.add("Digest:", manifest.string_or("digest"));
  const json::Value* entries = manifest.find("manifests");
  if (entries) {
    block.add("", "");
    block.add("Manifests:", "");
  }
  block.flush(out);
  if (!entries) return out;
  oci::Reference name = found.reference;
  bool first = true;
  for (const auto& entry : entries->as_array()) {
    if (!std::exchange(first, false)) block.add("", "");
    name.digest = {};
    block.add("  Name:", format("{}@{}", name.str(), entry.string_or("digest")));
    block.add("  MediaType:", entry.string_or("mediaType"));
    if (const json::Value* platform = entry.find("platform")) block.add("  Platform:", shown_platform(*platform));
    const json::Value* annotations = entry.find("annotations");
    if (!annotations) continue;
    block.add("  Annotations:", "");
    block.flush(out);
    for (const auto& [key, value] : annotations->as_object()) block.add("    " + key + ":", value.is_string() ? value.as_string() : json::write(value));
    block.flush(out);
  }
  block.flush(out);
  return out;
}

/// False for templates that only ask for what the index itself says: then one document is read instead of all.
bool wants_images(std::string_view text) {
  for (const std::string_view word : {"Image", "image", "Provenance", "provenance", "SBOM", "sbom", "$"})
    if (text.find(word) != text.npos) return true;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '.' && (i + 1 == text.size() || !std::isalpha(static_cast<unsigned char>(text[i + 1])))) return true;
  return false;
}

Result<int> inspect(Context& context) {
  const Args& args = context.args;
  std::string text = args.text("format");
  const bool raw = args.flag("raw");
  if (raw && !text.empty()) return fail(Errc::invalid_argument, "format and raw cannot be used together");
  if (text == "json") text = "{{json .}}";
  std::optional<Template> parsed;
  if (!text.empty() && !text.starts_with("{{.Manifest}}")) parsed = TRY(Template::parse(text));
  const auto interrupt = TRY(engine::Interrupt::install());
  engine::CopySession session(remark);
  const auto found = TRY(engine::inspect_index(session, args.positional(0), parsed && wants_images(text), interrupt.cancel()));
  if (raw) {
    TRY(print(found.document.bytes));
    return 0;
  }
  if (!parsed) {
    TRY(print(describe(found)));
    return 0;
  }
  json::Value value = found.value;
  // Of the whole buildx shows no attestations: they are asked for by name.
  if (text == "{{json .}}")
    for (const std::string_view key : {"provenance", "sbom"}) value.erase(key);
  std::string out;
  TRY(parsed->execute(value, {.go_names = true, .json_indent = 2}, out));
  TRY(print(out));
  return 0;
}

}  // namespace

constinit const Command kImagetoolsCreate{.usage = "[OPTIONS] [SOURCE...]",
                                          .summary = "Create a new image based on source images",
                                          .aliases = {},
                                          .flags = kCreateFlags,
                                          .least = 0,
                                          .needs = Needs::nothing,
                                          .run = create};
constinit const Command kImagetoolsInspect{.usage = "[OPTIONS] NAME",
                                           .summary = "Show details of an image in the registry",
                                           .aliases = {},
                                           .flags = kInspectFlags,
                                           .least = 1,
                                           .most = 1,
                                           .needs = Needs::nothing,
                                           .run = inspect};

}  // namespace mica::cli
